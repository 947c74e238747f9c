import { type Logger, pino } from 'pino'

export type Log = Logger

/** Lines leave the process together, this much at once or this long after the first. */
const TOGETHER_LENGTH = 8_192
const TOGETHER_MS = 100

/**
 * Standard output of all logs of the process. A write to it is a system call that costs as much as the line; what is held back is
 * written when the process exits, whatever the reason, and after a `fatal` line. Only SIGKILL takes it along.
 */
const openOutput = () => {
  const output = pino.destination({ sync: true })
  let lines = ''
  let timer: NodeJS.Timeout | undefined
  const flushSync = () => {
    clearTimeout(timer)
    timer = undefined
    if (lines) output.write(lines)
    lines = ''
  }
  process.once('exit', flushSync)
  return {
    write(line: string) {
      lines += line
      if (lines.length >= TOGETHER_LENGTH) flushSync()
      else timer ??= setTimeout(flushSync, TOGETHER_MS)
    },
    flushSync,
  }
}

/** The time of a line, made once for all lines of a millisecond. */
const createClock = () => {
  let at = 0
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== at) {
      at = now
      text = `,"time":"${new Date(now).toISOString()}"`
    }
    return text
  }
}

const time = createClock()
let output: ReturnType<typeof openOutput> | undefined

/** The process's structured logger: one JSON line per entry on standard output, no bodies, no personal data. */
export function createLog(name: string, level: string): Log {
  output ??= openOutput()
  return pino(
    {
      name,
      level,
      base: { service: name },
      timestamp: time,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['*.password', '*.token', '*.authorization', '*.email', '*.phone'], censor: '[redacted]' },
    },
    output,
  )
}

/**
 * The same log for lines whose fields are all written out, as words and numbers, where they are logged: nothing is looked for in them,
 * and they are put in as JSON.stringify has them. Pino's own way, field by field, is one eighth of the work of answering a page in hand.
 */
export function plainLines(log: Log): Log {
  const plain = log.child({}, { redact: [] })
  const { asJsonSym, chindingsSym, lsCacheSym } = pino.symbols
  const own = plain as unknown as Record<symbol, unknown>
  const bindings = own[chindingsSym] as string
  const levels = own[lsCacheSym] as Record<number, string>
  const asJson = (fields: object, message: string | undefined, level: number, time: string): string => {
    const text = JSON.stringify(message === undefined ? fields : { ...fields, msg: message })
    return `${levels[level]}${time}${bindings}${text === '{}' ? '' : ','}${text.slice(1)}\n`
  }
  return Object.assign(plain, { [asJsonSym]: asJson })
}
