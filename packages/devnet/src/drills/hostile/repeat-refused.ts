import { each } from '../../each.ts'
import { changedSince, type Snapshots } from '../snapshot.ts'

const AT_ONCE = 8
const ROUNDS = 6

/**
 * Sends again what was refused, without what is let in now because of what another request did, until nothing is let in any
 * more. Answers how many were refused in that last round, and what it wrote all the same.
 */
export async function repeatRefused<Sent>(
  snapshots: Snapshots,
  refused: readonly Sent[],
  isRefused: (sent: Sent) => Promise<boolean>,
): Promise<{ repeated: number; changes: string[] }> {
  let known = refused
  for (let round = 0; round < ROUNDS; round++) {
    const before = await snapshots.calm()
    const still: Sent[] = []
    await each([...known], AT_ONCE, async (sent) => {
      if (await isRefused(sent)) still.push(sent)
    })
    const isStable = still.length === known.length
    known = still
    if (isStable)
      return { repeated: known.length, changes: changedSince(before, await snapshots.calm()).filter(isNoNote) }
  }
  return { repeated: 0, changes: [`something each of ${ROUNDS} times: it let in others each time`] }
}

/** Counting an attempt is what a refused sign-in is for. */
const isNoNote = (change: string) => !/^auth\.throttles/.test(change)
