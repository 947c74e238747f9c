import { type Context, ownCall } from '../context.ts'
import type { ApiFault, ApiFaultHandle, ApiFaults } from '../http/api-faults.ts'
import { closeDispute, type Dispute, getDispute, openDispute } from '../resources/disputes.ts'
import { authenticateIntent, finishProcessing, getIntent, type PaymentIntent } from '../resources/payment-intent.ts'
import { failPayout, getPayout, type Payout } from '../resources/payouts.ts'
import { failRefund, getRefund, type Refund } from '../resources/refunds.ts'
import { addEndpoint } from '../resources/webhook-endpoints.ts'
import type { WebhookTarget } from '../settings.ts'
import { dumpState, type State } from '../state.ts'
import { clearStore, ownerOf } from '../store/store.ts'
import type { Dispatcher } from '../webhooks/dispatcher.ts'
import type { WebhookFault, WebhookFaults } from '../webhooks/webhook-faults.ts'

/** What tests and people may do to the emulator; the same in process and under /_emulator. */
export type Controls = {
  faults: {
    api: (fault: ApiFault) => ApiFaultHandle
    webhooks: (fault: WebhookFault) => void
    /** By the id of its handle, for those who only have that. */
    release: (id: string) => boolean
    /** Forgets all faults and lets go of every held answer. */
    clear: () => void
    pauseWebhooks: () => void
    resumeWebhooks: () => void
  }
  state: () => State
  /** Resolves when nothing is being delivered, delayed or retried. What a pause holds back does not count. */
  settle: (timeoutMs?: number) => Promise<void>
  addWebhook: (target: WebhookTarget) => void
  /** The customer passes or fails the bank's check of an intent that requires_action. */
  authenticate: (intentId: string, isPassed?: boolean) => PaymentIntent
  /** The bank's late answer to an intent that is processing. */
  finishProcessing: (intentId: string, isPaid?: boolean) => PaymentIntent
  failRefund: (refundId: string) => Refund
  failPayout: (payoutId: string) => Payout
  openDispute: (chargeId: string) => Dispute
  closeDispute: (disputeId: string, status: 'won' | 'lost') => Dispute
  /** Back to an empty account; configured webhooks stay. */
  reset: () => void
}

type Options = { ctx: Context; apiFaults: ApiFaults; webhookFaults: WebhookFaults; dispatcher: Dispatcher }

export function createControls({ ctx, apiFaults, webhookFaults, dispatcher }: Options): Controls {
  const callFor = (id: string) => ownCall(ownerOf(ctx.store, id))
  const clearFaults = () => {
    apiFaults.clear()
    webhookFaults.clear()
  }
  const addWebhook = (target: WebhookTarget) => {
    addEndpoint(ctx, target)
    dispatcher.resumeStored()
  }
  return {
    faults: {
      api: apiFaults.add,
      webhooks: webhookFaults.add,
      release: apiFaults.release,
      clear: clearFaults,
      pauseWebhooks: dispatcher.pause,
      resumeWebhooks: dispatcher.resume,
    },
    state: () => dumpState(ctx.store, dispatcher.attempts()),
    settle: dispatcher.settle,
    addWebhook,
    authenticate: (id, isPassed = true) => {
      const intent = getIntent(ctx, callFor(id), id)
      authenticateIntent(ctx, callFor(id), intent, isPassed)
      return structuredClone(intent)
    },
    finishProcessing: (id, isPaid = true) => {
      const intent = getIntent(ctx, callFor(id), id)
      finishProcessing(ctx, callFor(id), intent, isPaid)
      return structuredClone(intent)
    },
    failRefund: (id) => {
      const refund = getRefund(ctx, callFor(id), id)
      failRefund(ctx, callFor(id), refund)
      return structuredClone(refund)
    },
    failPayout: (id) => {
      const payout = getPayout(ctx, callFor(id), id)
      failPayout(ctx, callFor(id), payout)
      return structuredClone(payout)
    },
    openDispute: (chargeId) => structuredClone(openDispute(ctx, callFor(chargeId), chargeId)),
    closeDispute: (id, status) => {
      const dispute = getDispute(ctx, callFor(id), id)
      closeDispute(ctx, callFor(id), dispute, status)
      return structuredClone(dispute)
    },
    reset: () => {
      const targets = configuredTargets(ctx)
      clearFaults()
      dispatcher.reset()
      clearStore(ctx.store)
      for (const target of targets) addWebhook(target)
    },
  }
}

function configuredTargets(ctx: Context): WebhookTarget[] {
  return [...ctx.store.tables.webhookEndpoints.values()].flatMap(({ id, url }) => {
    const { isConfigured, secret } = ctx.store.hidden.get(id) ?? {}
    return isConfigured && secret !== undefined ? [{ url, secret }] : []
  })
}
