// Value information: primary VIF, extension tables FBh and FDh, combinable VIFE. EN 13757-3:2018, 6.4 and annex.
#ifndef HEARTH_MBUS_VIF_H
#define HEARTH_MBUS_VIF_H

#include "parser.h"

namespace mbus {

/// The order is that of kQuantityNames.
enum class Quantity : uint8_t {
  kUnknown, kEnergy, kVolume, kMass, kOnTime, kOperatingTime, kPower, kVolumeFlow, kMassFlow, kFlowTemperature,
  kReturnTemperature, kTemperatureDifference, kExternalTemperature, kPressure, kDate, kDateTime, kHca,
  kAveragingDuration, kActualityDuration, kFabricationNumber, kIdentification, kAddress, kAny, kManufacturerSpecific,
  kReactiveEnergy, kApparentEnergy, kReactivePower, kApparentPower, kHumidity, kPhaseAngle, kFrequency,
  kTemperatureLimit, kMaximumPower, kCredit, kDebit, kAccessNumber, kMedium, kManufacturer, kParameterSet, kModel,
  kHardwareVersion, kFirmwareVersion, kSoftwareVersion, kCustomerLocation, kCustomer, kAccessCode, kPassword,
  kErrorFlags, kErrorMask, kSecurityKey, kDigitalOutput, kDigitalInput, kBaudRate, kResponseDelay, kRetry,
  kRemoteControl, kFirstStorage, kLastStorage, kStorageBlockSize, kTariffDescriptor, kStorageInterval,
  kOperatorData, kTimePointSecond, kSinceReadout, kTariffStart, kTariffDuration, kTariffPeriod, kDimensionless,
  kContainer, kTransmissionPeriod, kVoltage, kCurrent, kResetCounter, kCumulationCounter, kControlSignal, kDayOfWeek,
  kWeekNumber, kDayChange, kParameterActivation, kSupplierInformation, kSinceCumulation, kBatteryTime,
  kBatteryChange, kSignalStrength, kDaylightSaving, kListeningWindow, kBatteryLife, kStopCount, kPlainText,
  kUnits, kCounter, kCount
};

/// The order is that of kUnitNames.
enum class Unit : uint8_t {
  kNone, kWh, kJ, kM3, kKg, kS, kW, kM3h, kKgh, kC, kK, kPa, kHca, kVarh, kVAh, kVar, kVA, kPercent, kDeg, kHz,
  kV, kA, kDbm, kCount
};

struct Meaning {
  Quantity quantity = Quantity::kUnknown;
  Unit unit = Unit::kNone;
  int exponent = 0;
  double factor = 1;      // besides 10^exponent
  double offset = 0;      // added last (Fahrenheit)
};

Meaning primary(uint8_t vif);
Meaning firstExtension(uint8_t code);   // FBh
Meaning secondExtension(uint8_t code);  // FDh
Meaning thirdExtension(uint8_t code);   // FDh FDh

/// One combinable VIFE (without its extension bit): changes the meaning and the modifiers.
void combine(uint8_t vife, Meaning& meaning, Record& record);
/// A VIFE after FCh.
void combineExtended(uint8_t vife, Record& record);

}  // namespace mbus

#endif
