import type { Event } from '../resources/events.ts'
import { matchesType } from '../resources/events.ts'

/** What is to happen to the next `count` events, or to the next of one type. */
export type WebhookFault = { count?: number; type?: string } & (
  | { kind: 'lose' }
  | { kind: 'double' }
  /** Held back until `count` events have come, then sent last one first. */
  | { kind: 'reorder' }
  | { kind: 'delay'; delayMs: number }
  /** The delivered event lies about its amount; the API keeps telling the truth. */
  | { kind: 'wrong-amount'; deltaMinor: number }
)

export type Plan = { isLost: boolean; copies: number; delayMs: number; deltaMinor: number; reorder?: ReorderGroup }
export type ReorderGroup = { size: number; held: string[] }

type Rule = { fault: WebhookFault; left: number; group: ReorderGroup }

export type WebhookFaults = {
  add: (fault: WebhookFault) => void
  plan: (event: Event) => Plan
  /** Groups that are still waiting for events. */
  openGroups: () => ReorderGroup[]
  clear: () => void
}

/** Several faults may meet in one event. */
export function createWebhookFaults(): WebhookFaults {
  let rules: Rule[] = []
  return {
    add: (fault) => {
      const left = fault.count ?? 1
      rules.push({ fault, left, group: { size: left, held: [] } })
    },
    plan: (event) => {
      const plan: Plan = { isLost: false, copies: 1, delayMs: 0, deltaMinor: 0 }
      for (const rule of rules) {
        if (rule.left === 0 || !matchesType(rule.fault.type ?? '*', event.type)) continue
        rule.left -= 1
        const { fault } = rule
        if (fault.kind === 'lose') plan.isLost = true
        if (fault.kind === 'double') plan.copies += 1
        if (fault.kind === 'delay') plan.delayMs += fault.delayMs
        if (fault.kind === 'wrong-amount') plan.deltaMinor += fault.deltaMinor
        if (fault.kind === 'reorder') plan.reorder = rule.group
      }
      return plan
    },
    openGroups: () => rules.map((rule) => rule.group).filter((group) => group.held.length > 0),
    clear: () => {
      rules = []
    },
  }
}

export function falsified(event: Event, deltaMinor: number): Event {
  const lie = structuredClone(event)
  for (const key of ['amount', 'amount_received', 'amount_captured']) {
    const value = lie.data.object[key]
    if (typeof value === 'number') lie.data.object[key] = value + deltaMinor
  }
  return lie
}
