import { type Logger, pino } from 'pino'

export type Log = Logger

/** The process's structured logger: one JSON line per entry on standard output, no bodies, no personal data. */
export function createLog(name: string, level: string): Log {
  return pino({
    name,
    level,
    base: { service: name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: ['*.password', '*.token', '*.authorization', '*.email', '*.phone'], censor: '[redacted]' },
  })
}
