import { createRandom } from '../../seed/random.ts'
import type { Outcome } from './expected.ts'
import type { Identity } from './identities.ts'
import type { Line } from './lines.ts'
import type { World } from './worlds.ts'

export type Worlds = { A: World; B: World; absent: World }
export type Column = 'own' | 'foreign' | 'absent'

export type Cells = {
  /** Cells by identity and by what they came to. */
  counts: Map<string, Map<Outcome, number>>
  cells: number
  /** Foreign objects whose answer was compared with that of an absent one. */
  compared: number
  faults: string[]
}

export const emptyCells = (): Cells => ({ counts: new Map(), cells: 0, compared: 0, faults: [] })

export function tally(result: Cells, me: Identity, outcome: Outcome): void {
  result.cells += 1
  const counts = result.counts.get(me.name) ?? new Map<Outcome, number>()
  result.counts.set(me.name, counts.set(outcome, (counts.get(outcome) ?? 0) + 1))
}

/** The world whose object a column names, for somebody who lives in theirs. */
export function worldOf(worlds: Worlds, me: Identity, column: Column): World {
  if (column === 'absent') return worlds.absent
  return column === 'own' ? worlds[me.home] : worlds[me.home === 'A' ? 'B' : 'A']
}

export const columnsOf = (line: Pick<Line, 'mine' | 'owner'>): Column[] =>
  line.mine || line.owner === 'nobody' ? ['own'] : ['own', 'foreign', 'absent']

/** Which part of the cells is played. */
export type Sample = { share: number; seed: number }

/** Says of one identity after the other whether it plays; the first to be asked about always does. */
export function chooser({ share, seed }: Sample, name: string): () => boolean {
  const random = createRandom(seed, name)
  let isFirst = true
  return () => {
    const isChosen = isFirst || random.chance(share)
    isFirst = false
    return isChosen
  }
}
