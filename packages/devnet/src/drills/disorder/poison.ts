import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createLog } from '@haat/kit/log'
import { openPostgres, sql, withDatabase } from '@haat/kit/postgres'
import { pay } from '../../actors.ts'
import type { Devnet } from '../../devnet.ts'
import { openFinalStates } from './final-state.ts'
import { arrive, order, type World } from './stories.ts'

const QUEUE = 'vendor.order.paid'
const COMMAND = fileURLToPath(import.meta.resolve('@haat/kit/dead-letters'))
const BASKET = { tea: 1, mug: 1, coupon: false }

/**
 * One event that its handler cannot bear, among others that it can: it is tried as often as the schedule says and put
 * aside, the others do not wait for it, and after the repair an operator gives it back. Fails when anything is otherwise.
 */
export async function poison(
  world: World & { devnet: Devnet & { prefix?: string } },
  attempts: number,
): Promise<{ attempts: number }> {
  const { devnet } = world
  const states = await openFinalStates(devnet)
  const database = `${devnet.prefix ? `${devnet.prefix}_` : ''}haat_vendor`
  const { db, close } = openPostgres<never>({
    url: withDatabase(devnet.stores.urls.postgres, database),
    poolSize: 1,
    name: 'poison',
    log: createLog('poison', 'silent'),
  })
  const earnings = async (purchase: Awaited<ReturnType<typeof order>>) =>
    (await states.of([purchase]))[0]!.filter((line) => line.startsWith('earning')).length
  const operate = async (...args: string[]) => {
    const env = { ...process.env, RABBITMQ_URL: devnet.stores.urls.rabbitmq, EVENT_PREFIX: devnet.prefix ?? '' }
    return (await promisify(execFile)(process.execPath, [COMMAND, QUEUE, ...args], { env })).stdout.trim()
  }
  try {
    const [broken, sound] = await Promise.all([arrive(world, BASKET), arrive(world, BASKET)])
    const poisoned = await order(broken, BASKET)
    const other = await order(sound, BASKET)
    // A mistake in the vendor service, as far as this order is concerned.
    await sql
      .raw(
        `create function refuse_poison() returns trigger language plpgsql as $$ begin
           if new.order_id = '${poisoned.order.id}' then raise exception 'poison'; end if; return new; end $$;
         create trigger refuse_poison before insert on vendor_order_sales for each row execute function refuse_poison()`,
      )
      .execute(db)
    await pay(devnet, poisoned.intent)
    await pay(devnet, other.intent)
    await devnet.settle()

    assert.equal(await earnings(other), 4, 'the other order is booked')
    assert.equal(await earnings(poisoned), 0, 'the poisoned order is not booked')
    const [before] = await states.of([poisoned])
    assert.ok(before!.includes('checkout: paid'), 'all others have taken the event')
    const found = (await operate()).split('\n').map((line) => JSON.parse(line) as { eventId: string; attempts: number })
    assert.equal(found.length, 1, 'one dead letter')
    assert.equal(found[0]!.attempts, attempts, 'attempts')

    await sql.raw('drop trigger refuse_poison on vendor_order_sales; drop function refuse_poison').execute(db)
    await operate('requeue', found[0]!.eventId)
    await devnet.settle()
    const [repaired, reference] = await states.of([poisoned, other])
    assert.deepEqual(repaired, reference, 'what became of the two orders')
    assert.equal(await operate(), '', 'no dead letter is left')
    return { attempts: found[0]!.attempts }
  } finally {
    await close()
    await states.close()
  }
}
