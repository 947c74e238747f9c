import { expect, test } from 'vitest'
import { shared } from '../src/drills/authorization/lines.ts'
import { checkRoutes } from '../src/drills/authorization/route-cells.ts'
import { checkRpcs } from '../src/drills/authorization/rpc-cells.ts'
import { withCast } from '../src/drills/authorization.ts'
import { stageEnvironment } from '../src/drills/stage.ts'
import { startTestDevnet } from './devnet.ts'

const devnet = await startTestDevnet(stageEnvironment)

// A part of the cells; "npm run drill -- authorization" plays all of them.
test('every RPC and every route lets in whom its contract names, and shows everybody else nothing', async () => {
  await withCast(
    devnet,
    () => undefined,
    async (stage, cast) => {
      const sample = { share: 0.25, seed: 1 }
      const routes = await checkRoutes(stage, cast, sample)
      const rpcs = await checkRpcs(stage, cast, sample)
      console.log(`${cast.size} identities, ${rpcs.cells} cells of RPCs, ${routes.cells} of routes`)
      expect([...rpcs.faults, ...routes.faults]).toEqual([])

      // It would notice: an RPC that nobody thought of, and an object that is shown to the wrong person.
      const lines = new Map([['order.GetOrder', [shared('orderNo')]]])
      const { faults } = await checkRpcs({ ...stage, lines }, cast, { share: 1, seed: 1 })
      expect(faults).toContain('payment.Refund has no line in the matrix')
      expect(faults).toContainEqual(
        expect.stringMatching(
          /^order.GetOrder by orderNo, foreign customer, foreign: NOT_FOUND .* instead of admitted$/,
        ),
      )
    },
  )
}, 300_000)
