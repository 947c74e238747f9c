import type { Address } from '@haat/proto/common/v1/common'
import { type ProfileServiceClient, ProfileServiceDefinition } from '@haat/proto/profile/v1/profile'
import { type As, startTestService } from '@haat/testkit/service'
import { customer } from '@haat/testkit/tokens'
import type { Kysely } from 'kysely'
import { loadConfig } from '../src/config.ts'
import type { Database } from '../src/db/schema.ts'
import { startProfile } from '../src/service.ts'

/** Profile on its own database. */
export async function startHarness() {
  const test = await startTestService({
    name: 'profile',
    load: loadConfig,
    start: startProfile,
    migrations: new URL('../migrations/', import.meta.url),
  })
  const as = (who?: As) => test.as<ProfileServiceClient>(ProfileServiceDefinition, who)
  return {
    test,
    as,
    db: test.database.db as unknown as Kysely<Database>,
    /** A signed-in customer with a client. */
    async person() {
      const who = await customer()
      return { ...who, client: as(who) }
    },
  }
}

export const address = (more: Partial<Address> = {}): Address => ({
  name: 'Rahima Khatun',
  line1: '12 Lake Road',
  line2: '',
  city: 'Dhaka',
  state: '',
  postalCode: '1209',
  country: 'BD',
  phone: '+8801712345678',
  ...more,
})
