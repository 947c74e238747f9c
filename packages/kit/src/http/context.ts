import type { HttpBindings } from '@hono/node-server'
import { anonymous, type Caller } from '../auth.ts'
import type { Call } from '../call.ts'
import type { Log } from '../log.ts'
import type { RateLimiter } from './rate-limit.ts'
import type { RouteFlags } from './route.ts'
import type { Session } from './sessions.ts'

/** What a request carries: `c.get('call')`, `c.get('session')`, … */
export type HttpEnv = {
  Bindings: Partial<HttpBindings>
  Variables: {
    call: Call
    /** The browser's session; undefined for guests and bearer clients. */
    session: Session | undefined
    /** The checked Idempotency-Key of a route declared `idempotent`. */
    idempotencyKey: string
    /** The body's bytes, where the route declares one (`json` and `raw`). */
    body: Uint8Array
    /** The rules of the matched route that were enforced. */
    flags: RouteFlags
    parts: { limiter: RateLimiter; address: string }
  }
}

/**
 * The call of one HTTP request. Its signal aborts when the client went away or the deadline passed; signal and log are
 * made on first use, since most answers from a cache need neither.
 */
export class HttpCall implements Call {
  caller: Caller = anonymous
  service: string | undefined = undefined
  authorization: string | undefined = undefined
  readonly requestId: string
  readonly correlationId: string
  readonly causationId: string | undefined = undefined
  readonly deadline: number
  #request: Request
  #processLog: Log
  #log: Log | undefined
  #controller: AbortController | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: { request: Request; requestId: string; timeoutMs: number; log: Log }) {
    this.requestId = options.requestId
    this.correlationId = options.requestId
    this.deadline = Date.now() + options.timeoutMs
    this.#request = options.request
    this.#processLog = options.log
  }

  get log(): Log {
    this.#log ??= this.#processLog.child({ requestId: this.requestId })
    return this.#log
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController()
      const client = this.#request.signal
      const leave = () => controller.abort(new DOMException('the client went away', 'AbortError'))
      if (client.aborted) leave()
      else client.addEventListener('abort', leave, { once: true })
      const expire = () => controller.abort(new DOMException('the deadline passed', 'TimeoutError'))
      this.#timer = setTimeout(expire, Math.max(0, this.deadline - Date.now()))
      this.#timer.unref()
      this.#controller = controller
    }
    return this.#controller.signal
  }

  /** Releases the deadline's timer; the answer is on its way. */
  finish(): void {
    clearTimeout(this.#timer)
  }
}
