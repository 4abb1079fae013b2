#include "vif.h"

namespace mbus {

const char* const kQuantityNames[] = {
    "unknown", "energy", "volume", "mass", "onTime", "operatingTime", "power", "volumeFlow", "massFlow",
    "flowTemperature", "returnTemperature", "temperatureDifference", "externalTemperature", "pressure", "date",
    "dateTime", "heatCostAllocation", "averagingDuration", "actualityDuration", "fabricationNumber",
    "identification", "address", "any", "manufacturerSpecific", "reactiveEnergy", "apparentEnergy",
    "reactivePower", "apparentPower", "humidity", "phaseAngle", "frequency", "temperatureLimit", "maximumPower",
    "credit", "debit", "accessNumber", "medium", "manufacturer", "parameterSet", "model", "hardwareVersion",
    "firmwareVersion", "softwareVersion", "customerLocation", "customer", "accessCode", "password", "errorFlags",
    "errorMask", "securityKey", "digitalOutput", "digitalInput", "baudRate", "responseDelay", "retry",
    "remoteControl", "firstStorage", "lastStorage", "storageBlockSize", "tariffDescriptor", "storageInterval",
    "operatorData", "timePointSecond", "durationSinceReadout", "tariffStart", "tariffDuration", "tariffPeriod",
    "dimensionless", "dataContainer", "transmissionPeriod", "voltage", "current", "resetCounter",
    "cumulationCounter", "controlSignal", "dayOfWeek", "weekNumber", "dayChange", "parameterActivation",
    "supplierInformation", "durationSinceCumulation", "batteryOperatingTime", "batteryChange", "signalStrength",
    "daylightSaving", "listeningWindow", "batteryLife", "stopCount", "plainText", "units", "counter",
};
const size_t kQuantityCount = sizeof kQuantityNames / sizeof *kQuantityNames;
static_assert(sizeof kQuantityNames / sizeof *kQuantityNames == static_cast<size_t>(Quantity::kCount), "one name each");

const char* const kUnitNames[] = {"",    "Wh", "J",   "m3",   "kg",  "s",  "W", "m3/h", "kg/h", "C", "K", "Pa",
                                  "hca", "varh", "VAh", "var", "VA", "%", "deg", "Hz", "V", "A", "dBm"};
const size_t kUnitCount = sizeof kUnitNames / sizeof *kUnitNames;
static_assert(sizeof kUnitNames / sizeof *kUnitNames == static_cast<size_t>(Unit::kCount), "one name each");

namespace {

constexpr double kMonth_s = 2629746;  // a twelfth of the Gregorian year of 365.2425 days
constexpr double kYear_s = 31556952;

/// nn: seconds, minutes, hours, days.
Meaning duration(Quantity quantity, unsigned nn) {
  static const double seconds[] = {1, 60, 3600, 86400};
  return {quantity, Unit::kS, 0, seconds[nn & 3], 0};
}

/// nn: hours, days, months, years.
Meaning longDuration(Quantity quantity, unsigned nn) {
  static const double seconds[] = {3600, 86400, kMonth_s, kYear_s};
  return {quantity, Unit::kS, 0, seconds[nn & 3], 0};
}

Meaning of(Quantity quantity, Unit unit, int exponent, double factor = 1) {
  return {quantity, unit, exponent, factor, 0};
}
Meaning bare(Quantity quantity) { return of(quantity, Unit::kNone, 0); }

/// 10^(nn-3) °F as °C, or as K where it is a difference.
Meaning fahrenheit(Quantity quantity, unsigned nn) {
  const bool difference = quantity == Quantity::kTemperatureDifference;
  return {quantity, difference ? Unit::kK : Unit::kC, static_cast<int>(nn & 3) - 3, 5.0 / 9.0,
          difference ? 0 : -160.0 / 9.0};
}

Meaning upper(uint8_t vif) {
  const int nn = vif & 3;
  switch (vif >> 2) {
    case 0x16: return of(Quantity::kFlowTemperature, Unit::kC, nn - 3);
    case 0x17: return of(Quantity::kReturnTemperature, Unit::kC, nn - 3);
    case 0x18: return of(Quantity::kTemperatureDifference, Unit::kK, nn - 3);
    case 0x19: return of(Quantity::kExternalTemperature, Unit::kC, nn - 3);
    case 0x1A: return of(Quantity::kPressure, Unit::kPa, nn + 2);
    case 0x1C: return duration(Quantity::kAveragingDuration, nn);
    case 0x1D: return duration(Quantity::kActualityDuration, nn);
    default: break;
  }
  switch (vif) {
    case 0x6C: return bare(Quantity::kDate);
    case 0x6D: return bare(Quantity::kDateTime);
    case 0x6E: return of(Quantity::kHca, Unit::kHca, 0);
    case 0x78: return bare(Quantity::kFabricationNumber);
    case 0x79: return bare(Quantity::kIdentification);
    case 0x7A: return bare(Quantity::kAddress);
    case 0x7C: return bare(Quantity::kPlainText);
    case 0x7E: return bare(Quantity::kAny);
    case 0x7F: return bare(Quantity::kManufacturerSpecific);
    default: return {};
  }
}

}  // namespace

Meaning primary(uint8_t vif) {
  const int nnn = vif & 7;
  switch (vif >> 3) {
    case 0x00: return of(Quantity::kEnergy, Unit::kWh, nnn - 3);
    case 0x01: return of(Quantity::kEnergy, Unit::kJ, nnn);
    case 0x02: return of(Quantity::kVolume, Unit::kM3, nnn - 6);
    case 0x03: return of(Quantity::kMass, Unit::kKg, nnn - 3);
    case 0x04: return duration(nnn < 4 ? Quantity::kOnTime : Quantity::kOperatingTime, nnn);
    case 0x05: return of(Quantity::kPower, Unit::kW, nnn - 3);
    case 0x06: return of(Quantity::kPower, Unit::kW, nnn, 1.0 / 3600);         // J/h
    case 0x07: return of(Quantity::kVolumeFlow, Unit::kM3h, nnn - 6);
    case 0x08: return of(Quantity::kVolumeFlow, Unit::kM3h, nnn - 7, 60);      // m3/min
    case 0x09: return of(Quantity::kVolumeFlow, Unit::kM3h, nnn - 9, 3600);    // m3/s
    case 0x0A: return of(Quantity::kMassFlow, Unit::kKgh, nnn - 3);
    default: return upper(vif);
  }
}

Meaning firstExtension(uint8_t code) {
  constexpr double kFoot3_m3 = 0.028316846592;
  constexpr double kGallon_m3 = 0.003785411784;
  constexpr double kCal_J = 4.1868;
  const int n = code & 1;
  switch (code & 0x7E) {
    case 0x00: return of(Quantity::kEnergy, Unit::kWh, n + 5);
    case 0x02: return of(Quantity::kReactiveEnergy, Unit::kVarh, n + 3);
    case 0x04: return of(Quantity::kApparentEnergy, Unit::kVAh, n + 3);
    case 0x08: return of(Quantity::kEnergy, Unit::kJ, n + 8);
    case 0x0C: return of(Quantity::kEnergy, Unit::kJ, n + 5, kCal_J);
    case 0x10: return of(Quantity::kVolume, Unit::kM3, n + 2);
    case 0x14: return of(Quantity::kReactivePower, Unit::kVar, n + 3);
    case 0x18: return of(Quantity::kMass, Unit::kKg, n + 5);
    case 0x1A: return of(Quantity::kHumidity, Unit::kPercent, n - 1);
    case 0x20: return of(Quantity::kVolume, Unit::kM3, n ? -1 : 0, kFoot3_m3);
    case 0x22: return of(Quantity::kVolume, Unit::kM3, n ? 0 : -1, kGallon_m3);
    case 0x24: return of(Quantity::kVolumeFlow, Unit::kM3h, n ? 0 : -3, kGallon_m3 * 60);
    case 0x26: return n ? Meaning{} : of(Quantity::kVolumeFlow, Unit::kM3h, 0, kGallon_m3);
    case 0x28: return of(Quantity::kPower, Unit::kW, n + 5);
    case 0x2A: return of(Quantity::kPhaseAngle, Unit::kDeg, -1);
    case 0x2C:
    case 0x2E: return of(Quantity::kFrequency, Unit::kHz, (code & 3) - 3);
    case 0x30: return of(Quantity::kPower, Unit::kW, n + 8, 1.0 / 3600);
    case 0x34: return of(Quantity::kApparentPower, Unit::kVA, n + 3);
    default: break;
  }
  switch (code >> 2) {
    case 0x16: return fahrenheit(Quantity::kFlowTemperature, code);
    case 0x17: return fahrenheit(Quantity::kReturnTemperature, code);
    case 0x18: return fahrenheit(Quantity::kTemperatureDifference, code);
    case 0x19: return fahrenheit(Quantity::kExternalTemperature, code);
    case 0x1C: return fahrenheit(Quantity::kTemperatureLimit, code);
    case 0x1D: return of(Quantity::kTemperatureLimit, Unit::kC, (code & 3) - 3);
    case 0x1E:
    case 0x1F: return of(Quantity::kMaximumPower, Unit::kW, (code & 7) - 3);
    default: return {};
  }
}

namespace {

Meaning identity(uint8_t code) {
  static const Quantity low[] = {
      Quantity::kAccessNumber, Quantity::kMedium, Quantity::kManufacturer, Quantity::kParameterSet,
      Quantity::kModel, Quantity::kHardwareVersion, Quantity::kFirmwareVersion, Quantity::kSoftwareVersion,
      Quantity::kCustomerLocation, Quantity::kCustomer, Quantity::kAccessCode, Quantity::kAccessCode,
      Quantity::kAccessCode, Quantity::kAccessCode, Quantity::kPassword, Quantity::kErrorFlags,
      Quantity::kErrorMask, Quantity::kSecurityKey, Quantity::kDigitalOutput, Quantity::kDigitalInput,
      Quantity::kBaudRate, Quantity::kResponseDelay, Quantity::kRetry, Quantity::kRemoteControl,
      Quantity::kFirstStorage, Quantity::kLastStorage, Quantity::kStorageBlockSize, Quantity::kTariffDescriptor};
  return bare(low[code - 0x08]);
}

Meaning times(uint8_t code) {
  switch (code) {
    case 0x28: return of(Quantity::kStorageInterval, Unit::kS, 0, kMonth_s);
    case 0x29: return of(Quantity::kStorageInterval, Unit::kS, 0, kYear_s);
    case 0x2A: return bare(Quantity::kOperatorData);
    case 0x2B: return of(Quantity::kTimePointSecond, Unit::kS, 0);
    case 0x30: return bare(Quantity::kTariffStart);
    case 0x38: return of(Quantity::kTariffPeriod, Unit::kS, 0, kMonth_s);
    case 0x39: return of(Quantity::kTariffPeriod, Unit::kS, 0, kYear_s);
    case 0x3A: return bare(Quantity::kDimensionless);
    case 0x3B: return bare(Quantity::kContainer);
    default: break;
  }
  switch (code >> 2) {
    case 0x09: return duration(Quantity::kStorageInterval, code);
    case 0x0B: return duration(Quantity::kSinceReadout, code);
    case 0x0C: return duration(Quantity::kTariffDuration, code);
    case 0x0D: return duration(Quantity::kTariffPeriod, code);
    case 0x0F: return duration(Quantity::kTransmissionPeriod, code);
    default: return {};
  }
}

}  // namespace

Meaning secondExtension(uint8_t code) {
  if (code < 0x04) return of(Quantity::kCredit, Unit::kNone, (code & 3) - 3);
  if (code < 0x08) return of(Quantity::kDebit, Unit::kNone, (code & 3) - 3);
  if (code < 0x24) return identity(code);
  if (code < 0x40) return times(code);
  if (code < 0x50) return of(Quantity::kVoltage, Unit::kV, (code & 15) - 9);
  if (code < 0x60) return of(Quantity::kCurrent, Unit::kA, (code & 15) - 12);
  if (code >= 0x68 && code < 0x6C) return longDuration(Quantity::kSinceCumulation, code);
  if (code >= 0x6C && code < 0x70) return longDuration(Quantity::kBatteryTime, code);
  switch (code) {
    case 0x60: return bare(Quantity::kResetCounter);
    case 0x61: return bare(Quantity::kCumulationCounter);
    case 0x62: return bare(Quantity::kControlSignal);
    case 0x63: return bare(Quantity::kDayOfWeek);
    case 0x64: return bare(Quantity::kWeekNumber);
    case 0x65: return bare(Quantity::kDayChange);
    case 0x66: return bare(Quantity::kParameterActivation);
    case 0x67: return bare(Quantity::kSupplierInformation);
    case 0x70: return bare(Quantity::kBatteryChange);
    case 0x71: return of(Quantity::kSignalStrength, Unit::kDbm, 0);
    case 0x72: return bare(Quantity::kDaylightSaving);
    case 0x73: return bare(Quantity::kListeningWindow);
    case 0x74: return of(Quantity::kBatteryLife, Unit::kS, 0, 86400);
    case 0x75: return bare(Quantity::kStopCount);
    case 0x76: return bare(Quantity::kContainer);
    default: return {};
  }
}

Meaning thirdExtension(uint8_t code) {
  switch (code) {
    case 0x02: return of(Quantity::kBatteryLife, Unit::kS, 0, kMonth_s);
    case 0x03: return of(Quantity::kBatteryLife, Unit::kS, 0, kYear_s);
    default: return {};
  }
}

void combine(uint8_t vife, Meaning& meaning, Record& record) {
  if (vife >= 0x70 && vife <= 0x77) {
    meaning.exponent += (vife & 7) - 6;
    return;
  }
  switch (vife) {
    case 0x12: record.modifiers |= kAverage; return;
    case 0x13: record.modifiers |= kInverseProfile; return;
    // Record errors of the slave (6.4.8). Some meters put a good value beside them, so it is kept, as doubtful.
    case 0x15: case 0x16: case 0x17: case 0x18:
      record.quality = Quality::kDoubtful;
      return;
    case 0x1E: record.modifiers |= kCompactRegister; return;
    case 0x1F: record.modifiers |= kCompactProfile; return;
    case 0x39: record.modifiers |= kDateOf; return;
    case 0x3A: record.modifiers |= kUncorrected; return;
    case 0x3B: record.modifiers |= kForward; return;
    case 0x3C: record.modifiers |= kBackward; return;
    case 0x7D: meaning.exponent += 3; return;
    case 0x7E: record.modifiers |= kFuture; return;
    default: break;
  }
  if (vife >= 0x20 && vife <= 0x3D) record.modifiers |= kDerived;
  if (vife >= 0x40 && vife < 0x70) {
    // 42h…47h, 4Ah…4Fh: date of a limit exceed; 6Ah, 6Bh, 6Eh, 6Fh: date of an event.
    const bool date = (vife < 0x50 && (vife & 2)) || (vife >= 0x68 && (vife & 2));
    record.modifiers |= date ? (kDateOf | kDerived) : static_cast<uint32_t>(kDerived);
  }
}

// 0Ch difference of import and export, 0Dh foreign units, 10h sum of amounts, 12h ff.: not the plain quantity.
void combineExtended(uint8_t vife, Record& record) {
  if (vife == 0x11) {
    record.modifiers |= kUnsigned;
  } else if (vife >= 1 && vife <= 0x0B && record.phase == 0) {
    record.phase = vife;
  } else {
    record.modifiers |= kDerived;
  }
}

}  // namespace mbus
