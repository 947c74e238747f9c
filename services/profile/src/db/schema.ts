import type { EventTables } from '@haat/kit/events/schema'
import type { Generated } from 'kysely'

export type ProfileRow = {
  user_id: string
  name: string | null
  phone: string | null
  avatar_url: Generated<string>
  dob: string | null
  locale: string | null
  marketing_opt_in: Generated<boolean>
  created_at: Generated<Date>
  updated_at: Generated<Date>
  forgotten_at: Date | null
}

export type AddressRow = {
  id: string
  user_id: string
  label: string
  name: string
  line1: string
  line2: string
  city: string
  state: string
  postal_code: string
  country: string
  phone: string
  is_default: boolean
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type Database = EventTables & { profiles: ProfileRow; addresses: AddressRow }
