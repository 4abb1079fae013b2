/** Every bound of the firmware in one place. A buffer, queue, retry, batch or count without a row here is a defect. */
export const LIMITS = {
  // Telegrams (bytes)
  p1Telegram_bytes: 8192,
  iecReadout_bytes: 65_536,
  /** One answer in programming mode, partial blocks joined. */
  iecProfile_bytes: 262_144,
  /** Repeat requests and repetitions of one message. */
  iecRepeats: 3,
  iecProfileRows: 20_000,
  smlFile_bytes: 16_384,
  smlDepth: 8,
  /** Times that a telegram may hold 1B1B1B1Bh, which is as good as never. */
  smlEscapes: 64,
  /** OBIS codes and unit names that are remembered as written, because every telegram repeats them. */
  codesKept: 1024,
  codeKept_bytes: 64,
  hdlcFrame_bytes: 2048,
  hdlcRepeats: 3,
  hdlcBusy: 20,
  dlmsApdu_bytes: 65_536,
  dlmsDepth: 12,
  /** Message counters on disk lag behind by at most so much; a power cut can lose no more. */
  counterSaveMs: 10_000,
  /** A message counter that no tag has proven moves on by at most so much a message: an hour of messages every 10 s. */
  counterStep: 360,
  /** System titles whose counters are kept for one meter. */
  countersPerMeter: 4,
  dlmsElements: 4096,
  /** An answer in data blocks (a load profile), and what it may hold. */
  dlmsTransfer_bytes: 1024 * 1024,
  dlmsTransferElements: 262_144,
  dlmsBlocks: 16_000,
  /** Invocation counters that are set aside on disk at a time, and how many one exchange may need. */
  dlmsCountersReserved: 65_536,
  dlmsCountersExchange: 20_000,
  /** Counters that were sent because somebody named them in clear. */
  dlmsCountersHearsay: 16,
  /** Attributes that are asked for at once. */
  dlmsList: 16,
  /** A push that waits to be read, and one whose segments or blocks are being joined. */
  dlmsPush_bytes: 16_384,
  mbusFrame_bytes: 261,
  wmbusTelegram_bytes: 512,
  /** A line of a receiver with text output: two telegrams in hexadecimal. */
  wmbusLine_chars: 2200,
  /** Meters heard on the air that nobody has configured, kept for the installer. */
  wmbusHeard: 256,
  /** Encrypted telegrams of each, for a key to be tried on. */
  wmbusKept: 4,
  /** Telegrams of a meter that are remembered to tell a repetition. */
  wmbusRepeats: 16,
  mbusRecords: 256,
  /** What a master keeps of an answer: the longest frame, its echo and noise. */
  mbusHeld_bytes: 1024,
  /** Of one readout. */
  mbusTelegrams: 32,
  /** Addresses on which a search could not tell who is there; a line with more of them is taken for noise. */
  mbusUnresolved: 32,
  /** Readouts and searches that wait for one line. */
  mbusQueue: 256,
  /** Values of past dates that one readout journals; all go into the series. */
  mbusStoredEvents: 16,
  /** Registers of a meter of which the date told last is kept. */
  mbusDatedRegisters: 64,
  /** After the first failure a meter is asked again so soon. */
  mbusRetryMs: 10_000,
  decodeLine_bytes: 64 * 1024 * 1024,
  // Links
  /** What came while a dialogue was busy with something else. */
  dialogueWaiting_bytes: 262_144,
  linkBackoffMinMs: 1_000,
  linkBackoffMaxMs: 60_000,
  /** A line of text of the program that watches GPIO lines. */
  gpioLine_chars: 256,
  /** An input that changes more often is not a meter's. */
  pulseEdgesPerSecond: 400,
  // Home
  /** A full bus of 250, and as many on the air. */
  meters: 320,
  devices: 32,
  pointsPerMeter: 128,
  /** What a meter noted and is not over, kept for the page. */
  notesPerMeter: 8,
  // Store
  storeBatchRows: 2_000,
  storeBatchMs: 10_000,
  /** Values held in memory: those of the present quarter hour, or all while there is no disk (30 series at 10 s: 4.6 h). */
  storeMemoryRows: 50_000,
  storeMemoryJournal: 2_000,
  /** Commits made at once (commands, signals, settings); beyond them such an entry waits for the batch. */
  storeUrgentPerHour: 600,
  storeRawDays: 14,
  storeQuarterDays: 3 * 366,
  journalRows: 200_000,
  journalDetail_chars: 8_192,
  /** The database never grows past this; the oldest raw values make room. */
  storeSize_bytes: 1024 * 1024 * 1024,
  /** Kept free beside the database, so that even a full disk can forget. */
  storeReserve_bytes: 4 * 1024 * 1024,
  /** With less than this free the owner is told. */
  storeScarce_bytes: 64 * 1024 * 1024,
  /** Rows that one transaction of the upkeep touches, and the pause after it. */
  storeStepRows: 1_000,
  storeStepPauseMs: 50,
  storeRetryMinMs: 1_000,
  storeRetryMaxMs: 60_000,
  storeBusyMs: 25,
  /** A wall clock that leaves the running time by more than this is not believed before `storeClockConfirmMs`. */
  storeClockSlackMs: 60_000,
  storeClockConfirmMs: 3_600_000,
  /** A gateway that was off for longer than this, by its clock, has its clock confirmed first. */
  storeClockGapMs: 60 * 86_400_000,
  storeUndatedRows: 10_000,
  storeDamagedKept: 2,
  storeSalvageMs: 600_000,
  storeSettings: 1_000,
  // Signals
  signalMessage_bytes: 256 * 1024,
  signalIntervals: 3_000,
  signalsKept: 256,
  /** Versions of a signal that are remembered, so that none can be replayed. */
  signalVersions: 16,
  /** A sender's clock may be so far ahead of ours, when ours stands. */
  signalAheadMs: 10 * 60_000,
  /** A larger packet is skipped on the wire; the rest of its frame is no more than topic and properties. */
  mqttPacket_bytes: 260 * 1024,
  mqttTopic_bytes: 1024,
  /** Messages that wait for the broker. */
  mqttQueue: 200,
  mqttInFlight: 20,
  mqttBackoffMinMs: 1_000,
  mqttBackoffMaxMs: 60_000,
  /** A flood is read at this pace after the burst; the rest waits at the broker. */
  signalBurst: 200,
  signalsPerSecond: 50,
  /** Journal entries of signals and of refusals an hour; beyond that they are counted. */
  signalEntriesAnHour: 600,
  refusalEntriesAnHour: 60,
  reportName_chars: 128,
  admissionMessage_bytes: 4096,
  /** An answer holds for so long; a "later" without a time is asked again after this; all "later" together end here. */
  admissionValidMs: 15 * 60_000,
  admissionAgainMs: 5 * 60_000,
  admissionLaterMs: 4 * 3_600_000,
  // Devices
  /** Models of one SunSpec device. */
  sunspecModels: 64,
  /** What one device of a home may say it draws or gives; more is a scale read wrongly, and would unsettle every sum. */
  devicePower_W: 200_000,
  commandAttempts: 3,
  /** Of an appliance's program. */
  programSteps: 32,
  programMinutes: 24 * 60,
  programPower_W: 20_000,
  /** An appliance that draws nothing when its program should begin has power for so long. */
  programAwaitMs: 3_600_000,
  /** It has power for so long at most for choosing its program at its panel. */
  programSettingMs: 3_600_000,
  // Planning
  planScenario_bytes: 4 * 1024 * 1024,
  planSlots: 400,
  planDevices: 32,
  planEvents: 64,
  /** A year and a day of quarter hours. */
  simulatedSlots: 366 * 96,
  simulatedDays_bytes: 32 * 1024 * 1024,
  /** A whole plan, start of its process included. */
  planMs: 30_000,
  solverAnswer_bytes: 8 * 1024 * 1024,
  solverHeap_MiB: 96,
  solverMemory_MiB: 200,
  solverResident_MiB: 110,
  // Configuration
  configFile_bytes: 1024 * 1024,
  secretFile_bytes: 4096,
  // Page
  sessions: 32,
  sseClients: 16,
  /** Open at once, streams included; who comes after them is turned away. */
  webConnections: 128,
  requestBody_bytes: 65_536,
  sessionMs: 30 * 86_400_000,
  passwordMin_chars: 8,
  passwordMax_chars: 256,
  passwordChecks: 4,
  loginFailures: 5,
  loginFailuresAll: 60,
  loginWindowMs: 15 * 60_000,
  loginAddresses: 256,
  ssePushMs: 1_000,
  sseBeatMs: 10_000,
  sseBacklog_bytes: 1024 * 1024,
  journalPage: 100,
  /** Days of energy that one answer may hold by the quarter hour. */
  energyDays: 31,
  seriesRawMs: 86_400_000,
  seriesQuarterMs: 92 * 86_400_000,
  seriesDayMs: 10 * 366 * 86_400_000,
  overrideAheadMs: 7 * 86_400_000,
  pageFile_bytes: 1024 * 1024,
} as const;
