import { setTimeout as pause } from 'node:timers/promises'

/** Asks until there is an answer: the marketplace hears of what happened by events, a moment later. */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined>,
  seconds = 60,
): Promise<Answer> {
  const giveUpAt = Date.now() + seconds * 1000
  for (let wait = 20; ; wait = Math.min(wait * 1.5, 500)) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > giveUpAt) throw new Error(`waited ${seconds} s for ${what}`)
    await pause(wait)
  }
}
