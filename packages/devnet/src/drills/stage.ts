import { ADMIN_LOGIN } from '../environment.ts'
import type { Worlds } from './authorization/cells.ts'
import type { Line } from './authorization/lines.ts'
import { rpcLines } from './authorization/rpc-lines.ts'
import { absentWorld, buildWorld, type Residents } from './authorization/worlds.ts'
import { openMarket } from './market.ts'
import { type Credentials, openRpcs, type Rpcs } from './rpcs.ts'
import { openSnapshots, type Snapshots } from './snapshot.ts'
import type { Named } from './throwaway.ts'

/** A marketplace with two of everything, for drills that try every RPC and every route. */
export type Stage = {
  devnet: Named
  rpcs: Rpcs
  snapshots: Snapshots
  worlds: Worlds
  residents: { A: Residents; B: Residents }
  /** The first super_admin. */
  admin: Credentials
  /** Per RPC, requests that it takes. */
  lines: Map<string, Line[]>
  log: (line: string) => void
}

/** What these drills need of their marketplace: nobody is locked out, and nothing happens by itself. */
export const stageEnvironment = {
  '*': { LOG_LEVEL: process.env.DRILL_LOG_LEVEL ?? 'silent', RUN_JOBS: 'false', EVENT_RETRY_SECONDS: '1,1,1' },
  auth: { ARGON2_MEMORY_KIB: '64', LOGIN_FAILURES_PER_ACCOUNT: '1000', MAILS_PER_ACCOUNT: '1000' },
  shipping: { SIMULATE_SCANS: 'false' },
}

/** Builds the two worlds, lets the drill work with them, and closes what was opened. */
export async function onStage<Result>(
  devnet: Named,
  log: (line: string) => void,
  work: (stage: Stage) => Promise<Result>,
): Promise<Result> {
  const rpcs = openRpcs(devnet)
  const snapshots = await openSnapshots(devnet)
  try {
    const market = await openMarket(devnet)
    const { tokens } = await rpcs.ask('auth.Login', ADMIN_LOGIN)
    const admin = { token: tokens.accessToken as string }
    const a = await buildWorld(devnet, rpcs, market, { name: 'A', own: market.leaf, adminToken: admin.token })
    const b = await buildWorld(devnet, rpcs, market, { name: 'B', own: market.cup, adminToken: admin.token })
    log('two worlds are built')
    const residents = { A: a.residents, B: b.residents }
    const lines = rpcLines(rpcs, admin, ({ name }) => ({
      token: residents[name === 'B' ? 'B' : 'A'].own.identity.token!,
    }))
    const worlds = { A: a.world, B: b.world, absent: absentWorld() }
    return await work({ devnet, rpcs, snapshots, worlds, residents, admin, lines, log })
  } finally {
    rpcs.close()
    await snapshots.close()
  }
}
