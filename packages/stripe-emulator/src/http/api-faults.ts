import { newId } from '../store/new-id.ts'

/**
 * - `error-before`, `error-after`: 500, before or after the request took effect; kept under its idempotency key.
 * - `reset-before`, `reset-after`: the connection breaks; after, the true result is what the key replays.
 * - `unavailable` (503), `rate-limit` (429): refused at the door, so the key stays free.
 * - `slow`: takes effect, answers after `delayMs`. `hold`: takes effect, answers when released.
 */
export type ApiFaultKind = (typeof apiFaultKinds)[number]
export const apiFaultKinds = [
  'error-before',
  'error-after',
  'reset-before',
  'reset-after',
  'unavailable',
  'rate-limit',
  'slow',
  'hold',
] as const

export type ApiFault = {
  kind: ApiFaultKind
  /** Of the request path; `*` stands for any characters. */
  path: string
  method?: 'GET' | 'POST' | 'DELETE'
  /** How many requests it meets, 1 by default. The SDK silently sends again once after a reset. */
  times?: number
  delayMs?: number
}

export type ApiFaultHandle = {
  id: string
  /** Resolves when a request has met the fault, and for `hold` has taken effect. */
  arrived: Promise<void>
  /** Lets go of what is held, and lets the fault meet nothing more. */
  release: () => void
}

/** A fault as one request meets it. */
export type MetFault = { kind: ApiFaultKind; delayMs: number; arrive: () => void; released: Promise<void> }

type Rule = ApiFault & {
  left: number
  pattern: RegExp
  handle: ApiFaultHandle
  arrive: () => void
  released: Promise<void>
}

export type ApiFaults = {
  add: (fault: ApiFault) => ApiFaultHandle
  take: (method: string, path: string) => MetFault | undefined
  release: (id: string) => boolean
  clear: () => void
}

export function createApiFaults(): ApiFaults {
  let rules: Rule[] = []
  return {
    add: (fault) => {
      const arrival = Promise.withResolvers<void>()
      const release = Promise.withResolvers<void>()
      const rule: Rule = {
        ...fault,
        left: fault.times ?? 1,
        pattern: globPattern(fault.path),
        arrive: arrival.resolve,
        released: release.promise,
        handle: {
          id: newId('fault'),
          arrived: arrival.promise,
          release: () => {
            rule.left = 0
            release.resolve()
          },
        },
      }
      rules.push(rule)
      return rule.handle
    },
    take: (method, path) => {
      const rule = rules.find((each) => each.left > 0 && (each.method ?? method) === method && each.pattern.test(path))
      if (!rule) return undefined
      rule.left -= 1
      return { kind: rule.kind, delayMs: rule.delayMs ?? 0, arrive: rule.arrive, released: rule.released }
    },
    release: (id) => {
      const rule = rules.find(({ handle }) => handle.id === id)
      rule?.handle.release()
      return rule !== undefined
    },
    clear: () => {
      for (const rule of rules) rule.handle.release()
      rules = []
    },
  }
}

function globPattern(path: string): RegExp {
  const literal = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${path.split('*').map(literal).join('.*')}$`)
}
