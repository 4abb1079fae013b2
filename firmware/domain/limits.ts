/** Every bound of the firmware in one place. A buffer, queue, retry, batch or count without a row here is a defect. */
export const LIMITS = {
  // Telegrams (bytes)
  p1Telegram_bytes: 8192,
  iecReadout_bytes: 65_536,
  iecLine_chars: 2100,
  smlFile_bytes: 16_384,
  smlDepth: 8,
  hdlcFrame_bytes: 2048,
  dlmsApdu_bytes: 65_536,
  dlmsDepth: 12,
  dlmsElements: 4096,
  mbusFrame_bytes: 261,
  wmbusTelegram_bytes: 512,
  mbusRecords: 256,
  /** What a master keeps of an answer: the longest frame, its echo and noise. */
  mbusHeld_bytes: 1024,
  /** Of one readout. */
  mbusTelegrams: 32,
  /** Readouts and searches that wait for one line. */
  mbusQueue: 64,
  /** Values of past dates that are remembered as told, of one meter. */
  mbusStoredValues: 256,
  /** After the first failure a meter is asked again so soon. */
  mbusRetryMs: 10_000,
  decodeLine_bytes: 64 * 1024 * 1024,
  // Links
  linkChunk_bytes: 65_536,
  linkBackoffMinMs: 1_000,
  linkBackoffMaxMs: 60_000,
  // Home
  meters: 32,
  devices: 32,
  pointsPerMeter: 128,
  // Store
  storeBatchRows: 2_000,
  storeBatchMs: 10_000,
  storeRawDays: 14,
  storeQuarterDays: 3 * 366,
  journalRows: 200_000,
  // Signals
  signalMessage_bytes: 256 * 1024,
  signalIntervals: 3_000,
  signalsKept: 256,
  mqttQueue: 200,
  // Devices
  commandAttempts: 3,
  // Planning
  planScenario_bytes: 4 * 1024 * 1024,
  planSlots: 400,
  planDevices: 32,
  planEvents: 64,
  solverAnswer_bytes: 8 * 1024 * 1024,
  solverHeap_MiB: 96,
  solverMemory_MiB: 400,
  // Page
  sessions: 32,
  sseClients: 16,
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
  seriesRawMs: 86_400_000,
  seriesQuarterMs: 92 * 86_400_000,
  seriesDayMs: 10 * 366 * 86_400_000,
  overrideAheadMs: 7 * 86_400_000,
  pageFile_bytes: 1024 * 1024,
} as const;
