import { currentCall } from '../call.ts'
import { AppError } from '../errors.ts'

const FORGIVEN = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'INTERNAL', 'RESOURCE_EXHAUSTED'])

/** A screen's optional parts, and the labels of those that are missing from this answer. */
export type Parts = {
  /**
   * The value, or the fallback when its service is down, slow or broken; any other error (not found, not allowed) is
   * the screen's. `withinMs` gives up earlier than the request's deadline.
   */
  optional<Value, Fallback>(
    promise: Promise<Value>,
    fallback: Fallback,
    label: string,
    options?: { withinMs?: number },
  ): Promise<Value | Fallback>
  /** Send it with the screen, so that the page can say what is missing. */
  readonly degraded: string[]
}

/** `const { optional, degraded } = parts()`, once per request. */
export function parts(): Parts {
  const degraded: string[] = []
  return {
    degraded,
    async optional(promise, fallback, label, options = {}) {
      try {
        return await (options.withinMs === undefined ? promise : within(promise, options.withinMs, label))
      } catch (error) {
        if (!(error instanceof AppError && FORGIVEN.has(error.status))) throw error
        degraded.push(label)
        currentCall()?.log.warn({ part: label, code: error.code, status: error.status }, 'part left out')
        return fallback
      }
    },
  }
}

function within<Value>(promise: Promise<Value>, ms: number, label: string): Promise<Value> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new AppError('DEADLINE_EXCEEDED', 'part_late', `${label} took over ${ms} ms`))
    const timer = setTimeout(late, ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
