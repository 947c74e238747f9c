import { AsyncLocalStorage } from 'node:async_hooks'
import { anonymous, type Caller } from './auth.ts'
import { denied, unauthenticated } from './errors.ts'
import { newId } from './id.ts'
import type { Log } from './log.ts'

/** What lives as long as one request, one event or one job run. */
export type Call = {
  /** The originating subject: a person, an internal tool, or the service itself in jobs and event handlers. */
  caller: Caller
  /** The Haat service that makes this call, when it proved itself with its service token. */
  service: string | undefined
  /** The subject's own token, forwarded to neighbours. */
  authorization: string | undefined
  requestId: string
  /** The same for everything that one user action sets in motion. */
  correlationId: string
  /** Id of the event that caused this, if any. */
  causationId: string | undefined
  /** Epoch milliseconds after which the answer is of no use. */
  deadline: number
  /** Aborts when the caller went away or the deadline passed; hand it to every wait. */
  signal: AbortSignal
  log: Log
}

const storage = new AsyncLocalStorage<Call | undefined>()

/** The call this code runs in, if any. Clients use it to carry identity, deadline and trace ids on. */
export const currentCall = (): Call | undefined => storage.getStore()

/** Runs `work` inside a call. */
export const inCall = <T>(call: Call, work: () => T): T => storage.run(call, work)

/** Runs `work` outside of any call: for what several calls share. */
export const inNoCall = <T>(work: () => T): T => storage.run(undefined, work)

/** A call that no outside request started: jobs, event handlers, start-up. */
export function systemCall(
  log: Log,
  options: { timeoutMs?: number; correlationId?: string; causationId?: string } = {},
): Call {
  const timeoutMs = options.timeoutMs ?? 30_000
  const requestId = newId()
  return {
    caller: anonymous,
    service: undefined,
    authorization: undefined,
    requestId,
    correlationId: options.correlationId ?? requestId,
    causationId: options.causationId,
    deadline: Date.now() + timeoutMs,
    signal: AbortSignal.timeout(timeoutMs),
    log,
  }
}

/** The signed-in person's id; UNAUTHENTICATED for nobody, PERMISSION_DENIED for a tool or a service by itself. */
export function requireUser({ caller }: Call): string {
  if (caller.kind === 'anonymous') throw unauthenticated('login_required', 'sign in first')
  if (caller.kind !== 'user') throw denied('person_required', 'only a person may do this')
  return caller.id
}
