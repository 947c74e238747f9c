import { matchesType } from '../resources/events.ts'
import type { Settings } from '../settings.ts'
import { newId } from '../store/new-id.ts'
import type { Store } from '../store/store.ts'
import { post } from './post.ts'
import { signWebhook } from './sign-webhook.ts'
import { falsified, type ReorderGroup, type WebhookFaults } from './webhook-faults.ts'

/** One event owed to one endpoint. It is kept until a 2xx, which is what makes delivery at-least-once. */
export type Delivery = { id: string; eventId: string; endpointId: string; attempts: number; deltaMinor: number }

export type Attempt = { eventId: string; type: string; url: string; status: number | 'failed' }

export type Dispatcher = {
  deliver: (eventId: string) => void
  /** Queues what an earlier run, or a missing endpoint, left undelivered. */
  resumeStored: () => void
  pause: () => void
  resume: () => void
  settle: (timeoutMs?: number) => Promise<void>
  attempts: () => Attempt[]
  /** Forgets everything that is owed, and stops pausing. */
  reset: () => void
  close: () => Promise<void>
}

type Options = {
  store: Store
  settings: Settings
  faults: WebhookFaults
  nowSeconds: () => number
  save: () => Promise<void>
}

const attemptsKept = 1_000

/**
 * First attempts leave in order, one at a time per endpoint. A refused one waits its turn aside and does not hold up
 * those behind it, so a retry arrives out of order, as it does in life.
 */
export function createDispatcher({ store, settings, faults, nowSeconds, save }: Options): Dispatcher {
  const queues = new Map<string, Delivery[]>()
  const sending = new Map<string, Promise<void>>()
  const timers = new Set<NodeJS.Timeout>()
  const waiters = new Set<() => void>()
  const attempts: Attempt[] = []
  const stop = new AbortController()
  let isPaused = false

  const isIdle = () =>
    sending.size === 0 && timers.size === 0 && (isPaused || [...queues.values()].every((queue) => queue.length === 0))

  const wakeWaiters = () => {
    if (isIdle()) for (const wake of [...waiters]) wake()
  }

  const later = (delayMs: number, act: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      act()
      wakeWaiters()
    }, delayMs)
    timers.add(timer)
  }

  const enqueue = (delivery: Delivery) => {
    const queue = queues.get(delivery.endpointId) ?? []
    queues.set(delivery.endpointId, queue)
    queue.push(delivery)
    pump(delivery.endpointId)
  }

  const pump = (endpointId: string) => {
    if (isPaused || stop.signal.aborted || sending.has(endpointId)) return
    const delivery = queues.get(endpointId)?.shift()
    if (!delivery) return
    const work = attempt(delivery)
      .catch((error: unknown) => console.error('stripe-emulator:', error))
      .finally(() => {
        sending.delete(endpointId)
        pump(endpointId)
        wakeWaiters()
      })
    sending.set(endpointId, work)
  }

  const attempt = async (delivery: Delivery) => {
    const endpoint = store.tables.webhookEndpoints.get(delivery.endpointId)
    const event = store.tables.events.get(delivery.eventId)
    if (!event || !store.deliveries.has(delivery.id)) return
    // An endpoint that was deleted is owed nothing.
    if (!endpoint) {
      store.deliveries.delete(delivery.id)
      return
    }
    delivery.attempts += 1
    const body = JSON.stringify(delivery.deltaMinor === 0 ? event : falsified(event, delivery.deltaMinor), null, 2)
    const secret = store.hidden.get(endpoint.id)?.secret ?? ''
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'stripe-signature': signWebhook(body, secret, nowSeconds()),
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    }
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(settings.webhookTimeoutMs)])
    const status = await post({ url: endpoint.url, headers, body, signal }).catch(() => 'failed' as const)
    if (stop.signal.aborted) return
    attempts.push({ eventId: event.id, type: event.type, url: endpoint.url, status })
    if (attempts.length > attemptsKept) attempts.shift()

    if (status !== 'failed' && status >= 200 && status < 300) {
      if (store.deliveries.delete(delivery.id)) event.pending_webhooks -= 1
      await save()
    } else {
      const schedule = settings.retryScheduleMs
      later(schedule[delivery.attempts - 1] ?? schedule.at(-1) ?? 1_000, () => {
        if (store.deliveries.has(delivery.id)) enqueue(delivery)
      })
    }
  }

  const send = (eventId: string, plan: { copies: number; delayMs: number; deltaMinor: number }) => {
    const event = store.tables.events.get(eventId)
    if (!event) return
    for (const endpoint of store.tables.webhookEndpoints.values()) {
      if (!endpoint.enabled_events.some((wanted) => matchesType(wanted, event.type))) continue
      for (let copy = 0; copy < plan.copies; copy += 1) {
        const { deltaMinor } = plan
        const delivery: Delivery = { id: newId('whd'), eventId, endpointId: endpoint.id, attempts: 0, deltaMinor }
        event.pending_webhooks += 1
        store.deliveries.set(delivery.id, delivery)
        if (plan.delayMs > 0) later(plan.delayMs, () => enqueue(delivery))
        // Never within the request that caused the event: its answer and the webhook race, as they do in life.
        else setImmediate(() => enqueue(delivery))
      }
    }
  }

  const flush = (group: ReorderGroup) => {
    const reversed = group.held.splice(0).reverse()
    for (const eventId of reversed) send(eventId, { copies: 1, delayMs: 0, deltaMinor: 0 })
  }

  return {
    deliver: (eventId) => {
      const event = store.tables.events.get(eventId)
      if (!event) return
      const plan = faults.plan(event)
      if (plan.isLost) return
      if (!plan.reorder) {
        send(eventId, plan)
        return
      }
      plan.reorder.held.push(eventId)
      if (plan.reorder.held.length >= plan.reorder.size) flush(plan.reorder)
    },
    resumeStored: () => {
      const queued = new Set([...queues.values()].flat().map((delivery) => delivery.id))
      for (const delivery of store.deliveries.values()) {
        if (!queued.has(delivery.id) && store.tables.webhookEndpoints.has(delivery.endpointId)) enqueue(delivery)
      }
    },
    pause: () => {
      isPaused = true
      wakeWaiters()
    },
    resume: () => {
      isPaused = false
      for (const endpointId of queues.keys()) pump(endpointId)
    },
    settle: async (timeoutMs = 10_000) => {
      for (const group of faults.openGroups()) flush(group)
      // Deliveries of the current turn are queued at its end.
      await new Promise((resolve) => setImmediate(resolve))
      if (isIdle()) return
      await new Promise<void>((resolve, reject) => {
        const wake = () => {
          clearTimeout(timer)
          waiters.delete(wake)
          resolve()
        }
        const timer = setTimeout(() => {
          waiters.delete(wake)
          const owed = [...store.deliveries.values()].map(({ eventId }) => store.tables.events.get(eventId)?.type)
          reject(new Error(`webhooks did not settle within ${timeoutMs} ms; still owed: ${owed.join(', ')}`))
        }, timeoutMs)
        waiters.add(wake)
      })
    },
    attempts: () => [...attempts],
    reset: () => {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      queues.clear()
      attempts.length = 0
      isPaused = false
      wakeWaiters()
    },
    close: async () => {
      stop.abort()
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      await Promise.all(sending.values())
    },
  }
}
