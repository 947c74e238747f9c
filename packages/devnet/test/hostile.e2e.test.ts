import { expect, test } from 'vitest'
import { beHostile, hostileEnvironment } from '../src/drills/hostile.ts'
import { startTestDevnet } from './devnet.ts'

const devnet = await startTestDevnet(hostileEnvironment)

// The same at every run; "npm run drill -- hostile" does far more of it.
test('forged tokens, false notices, hostile files and spoiled requests are refused, never our mistake, and write nothing', async () => {
  const found = await beHostile(devnet, { seed: 1, perRpc: 6, perRoute: 6, perToken: 8, timedLogins: 0 })
  console.log(
    `${found.tokens.shown} forged tokens, ${found.webhooks.sent} notices, ${found.uploads.files} files, ${found.routes.requests} requests of routes, ${found.rpcs.requests} of RPCs`,
  )
  expect(found.faults).toEqual([])
}, 300_000)
