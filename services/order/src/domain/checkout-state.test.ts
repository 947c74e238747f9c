import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type CheckoutMove,
  type CheckoutState,
  checkoutMoves,
  checkoutStatesFor,
  checkoutTargets,
  isFinal,
  moveCheckout,
} from './checkout-state.ts'

const moves = Object.keys(checkoutTargets) as CheckoutMove[]
const anyStory = fc.array(fc.constantFrom(...moves), { maxLength: 30 })

const play = (story: CheckoutMove[]): CheckoutState[] => {
  const states: CheckoutState[] = ['open']
  for (const move of story) {
    const next = moveCheckout(states.at(-1)!, move)
    if (next) states.push(next)
  }
  return states
}

test('a move leads to the same state from wherever it is legal', () => {
  for (const move of moves)
    for (const state of checkoutStatesFor(move)) expect(moveCheckout(state, move)).toBe(checkoutTargets[move])
})

test('whatever comes, in whatever order and however often, a checkout ends once and stays there', () => {
  fc.assert(
    fc.property(anyStory, (story) => {
      const states = play(story)
      expect(states.findIndex(isFinal)).toBeOneOf([-1, states.length - 1])
      expect(new Set(states).size).toBe(states.length)
    }),
    { numRuns: 10_000 },
  )
})

test('what was paid is never undone, and what was undone was never payable', () => {
  fc.assert(
    fc.property(anyStory, (story) => {
      const states = play(story)
      if (states.includes('paid')) expect(states.at(-1)).toBe('paid')
      if (states.includes('failed')) expect(states).not.toContain('payable')
      if (states.at(-1) === 'paid' || states.at(-1) === 'cancelled') expect(states).toContain('payable')
    }),
    { numRuns: 10_000 },
  )
})

test('from every state an end can be reached', () => {
  for (const state of Object.keys(checkoutMoves) as CheckoutState[]) {
    const seen = new Set<CheckoutState>([state])
    for (const each of seen) for (const next of Object.values(checkoutMoves[each]) as CheckoutState[]) seen.add(next)
    expect([...seen].some(isFinal)).toBe(true)
  }
})
