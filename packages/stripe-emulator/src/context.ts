import type { Settings } from './settings.ts'
import type { Store } from './store/store.ts'

/** Lives as long as the emulator. */
export type Context = {
  settings: Settings
  store: Store
  nowSeconds: () => number
  /** Where the emulator answers, known once it listens. */
  baseUrl: () => string
  /** Takes a new event's id and delivers it to every endpoint that wants it, later. */
  deliver: (eventId: string) => void
}

/** Lives as long as one request. */
export type Call = {
  path: string
  /** The values of the route's `:names`. */
  ids: Record<string, string>
  /** The connected account named by the Stripe-Account header; null is the platform. */
  account: string | null
  isPublishable: boolean
  requestId: string | null
  idempotencyKey: string | null
}

/** What the emulator does of its own accord, as if a bank or a customer had acted: no request causes it. */
export function ownCall(account: string | null): Call {
  return { path: '', ids: {}, account, isPublishable: false, requestId: null, idempotencyKey: null }
}
