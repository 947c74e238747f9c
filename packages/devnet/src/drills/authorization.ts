import { type Cast, gatherCast, needsOf } from './authorization/cast.ts'
import { checkRoutes } from './authorization/route-cells.ts'
import { checkRpcs } from './authorization/rpc-cells.ts'
import { compareTimes } from './authorization/timing.ts'
import { onStage, type Stage, stageEnvironment } from './stage.ts'
import { type Named, onThrowaway } from './throwaway.ts'

/** Builds the worlds, signs in everybody who plays a part, and lets the drill work with them. */
export const withCast = <Result>(
  devnet: Named,
  log: (line: string) => void,
  work: (stage: Stage, cast: Cast) => Promise<Result>,
): Promise<Result> =>
  onStage(devnet, log, async (stage) => {
    const needs = [...stage.lines].map(([name, lines]) => needsOf(name, lines))
    const cast = await gatherCast(stage, needs)
    log(`${cast.size} identities are signed in`)
    return work(stage, cast)
  })

/**
 * Every RPC and every route, as everybody, with what is theirs, somebody else's, and nobody's; and whether the time of an
 * answer tells what is foreign from what does not exist.
 */
export async function run(): Promise<string[]> {
  const started = performance.now()
  const log = (line: string) =>
    console.log(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${line}`)
  const all = { share: 1, seed: 1 }
  const { identities, routes, times, rpcs } = await onThrowaway(stageEnvironment, (devnet) =>
    withCast(devnet, log, async (stage, cast) => ({
      identities: cast.size,
      routes: await checkRoutes(stage, cast, all),
      times: await compareTimes(stage, cast),
      // Last: the end of the RPCs leaves nothing of whoever calls them.
      rpcs: await checkRpcs(stage, cast, all),
    })),
  )
  const outcomes = ['admitted', 'login', 'denied', 'missing'] as const
  for (const [name, { counts, cells, compared }] of Object.entries({ RPCs: rpcs, routes })) {
    console.log(
      `\n${name}: ${cells} cells of ${identities} identities; ${compared} foreign objects against absent ones`,
    )
    console.log(`  ${''.padEnd(42)}${outcomes.map((outcome) => outcome.padStart(10)).join('')}`)
    for (const [who, found] of counts)
      console.log(
        `  ${who.padEnd(42)}${outcomes.map((outcome) => String(found.get(outcome) ?? 0).padStart(10)).join('')}`,
      )
  }
  console.log(`\n${times.length} pairs timed; the farthest apart:`)
  for (const { name, foreignMs, absentMs, factor } of times.toSorted((a, b) => b.factor - a.factor).slice(0, 5))
    console.log(
      `  ${name}: ${foreignMs.toFixed(2)} ms foreign, ${absentMs.toFixed(2)} ms absent (${factor.toFixed(2)})`,
    )
  return [...rpcs.faults, ...routes.faults, ...times.flatMap(({ fault }) => fault ?? [])]
}
