import { ruleOf } from '@haat/kit/descriptors'
import { rpcMethods } from '../rpcs.ts'
import type { Stage } from '../stage.ts'
import { type Cast, needsOf } from './cast.ts'
import { worldOf } from './cells.ts'
import { expected } from './expected.ts'

export type Timing = {
  name: string
  foreignMs: number
  absentMs: number
  /** The slower median in terms of the faster. */
  factor: number
  fault: string | undefined
}

const CALLS = 200
/** Medians further apart than this, and by more than the noise of a local call, could be told over a network. */
const FACTOR = 1.5
const NOISE_MS = 0.5

/**
 * Times refusals: what belongs to somebody else and what does not exist, asked in turns by somebody who may ask for things of
 * that kind.
 */
export async function compareTimes({ lines, rpcs, worlds, log }: Stage, cast: Cast): Promise<Timing[]> {
  const times: Timing[] = []
  for (const [name, all] of lines)
    for (const line of all) {
      const rule = ruleOf(rpcMethods().get(name)!)!
      const me = cast
        .of(needsOf(name, all))
        .find(
          (one) =>
            one.name.startsWith('foreign') &&
            expected(rule, line, one, worldOf(worlds, one, 'foreign')).asAbsent &&
            expected(rule, line, one, worlds.absent).outcomes[0] === 'missing',
        )
      if (!me) continue
      const foreign = worldOf(worlds, me, 'foreign')
      const taken = { foreign: [] as number[], absent: [] as number[] }
      for (let call = 0; call < CALLS; call++)
        for (const column of call % 2 ? (['foreign', 'absent'] as const) : (['absent', 'foreign'] as const)) {
          const request = line.request(column === 'foreign' ? foreign : worlds.absent, me)
          const started = performance.now()
          await rpcs.call(name, request, me.who)
          taken[column].push(performance.now() - started)
        }
      const [foreignMs, absentMs] = [median(taken.foreign), median(taken.absent)]
      const factor = Math.max(foreignMs, absentMs) / Math.min(foreignMs, absentMs)
      const label = `${name} by ${line.by}`
      const isTold = factor > FACTOR && Math.abs(foreignMs - absentMs) > NOISE_MS
      const fault = isTold
        ? `${label} takes ${foreignMs.toFixed(2)} ms for what is foreign and ${absentMs.toFixed(2)} ms for what is absent`
        : undefined
      times.push({ name: label, foreignMs, absentMs, factor, fault })
    }
  log(`${times.length} pairs timed, ${CALLS} calls each`)
  return times
}

/** The middle of the values. */
export const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
