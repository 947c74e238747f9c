import { createHash } from 'node:crypto'
import type { Letter } from './post-office.ts'

/** How bad the post is: how many of a hundred letters are lost at first or come twice, and how many rounds one may lie. */
export type Weather = { seed: number; lossPercent: number; doublePercent: number; delayRounds: number }

type Copy = { letter: Letter; about: number; due: number; rank: number }

export type Schedule = {
  /** Decides when each copy of a letter arrives: the same for the same weather, consumer and how many came before. */
  post(letter: Letter, about: number, weather: Weather, round: number): void
  /** The copies that arrive in a round, in their order of arrival. */
  due(round: number): Copy[]
  /** One that was not taken comes again. */
  again(copy: Copy, round: number): void
  readonly waiting: number
  /** The round of the next copy; 0 when none waits. */
  readonly nextDue: number
  /** What was done to letters so far. */
  readonly counts: { letters: number; lost: number; doubled: number; delayed: number; again: number }
}

/** After a loss the sender notices, and sends once more. */
const RESENT_AFTER = 3

export function createSchedule(): Schedule {
  const copies: Copy[] = []
  const seen = new Map<string, number>()
  const counts = { letters: 0, lost: 0, doubled: 0, delayed: 0, again: 0 }
  return {
    post(letter, about, weather, round) {
      const kind = `${about} ${letter.to} ${letter.type}`
      const nth = (seen.get(kind) ?? 0) + 1
      seen.set(kind, nth)
      const draw = drawing(`${weather.seed} ${kind} ${nth}`)
      const isLost = draw(100) < weather.lossPercent
      const times = draw(100) < weather.doublePercent ? 2 + draw(2) : 1
      counts.letters += 1
      if (isLost) counts.lost += 1
      if (times > 1) counts.doubled += 1
      for (let i = 0; i < times; i += 1) {
        const delay = draw(weather.delayRounds + 1) + (isLost ? RESENT_AFTER : 0)
        if (delay > 0) counts.delayed += 1
        copies.push({ letter, about, due: round + delay, rank: draw(1_000_000) })
      }
    },
    due(round) {
      const arriving = copies.filter((copy) => copy.due <= round)
      for (const copy of arriving) copies.splice(copies.indexOf(copy), 1)
      return arriving.sort((a, b) => a.rank - b.rank)
    },
    again(copy, round) {
      counts.again += 1
      copies.push({ ...copy, due: round + 1 })
    },
    get waiting() {
      return copies.length
    },
    get nextDue() {
      return copies.length ? Math.min(...copies.map(({ due }) => due)) : 0
    },
    counts,
  }
}

/** Numbers that depend on nothing but the text. */
function drawing(text: string): (below: number) => number {
  let bytes = createHash('sha256').update(text).digest()
  let at = 0
  return (below) => {
    if (at + 4 > bytes.length) {
      bytes = createHash('sha256').update(bytes).digest()
      at = 0
    }
    at += 4
    return bytes.readUInt32BE(at - 4) % below
  }
}
