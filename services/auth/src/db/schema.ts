import type { EventTables } from '@haat/kit/events/schema'
import type { Generated } from 'kysely'

export type UserRow = {
  id: string
  email: string | null
  password_hash: string | null
  name: string
  locale: string
  status: 'active' | 'blocked' | 'pending'
  email_verified_at: Date | null
  vendor_id: string | null
  vendor_permissions: Generated<string[]>
  profile_sequence: Generated<bigint>
  created_at: Generated<Date>
  updated_at: Generated<Date>
  last_login_at: Date | null
  forgotten_at: Date | null
}

export type RoleRow = { id: Generated<string>; name: string; built_in: Generated<boolean> }

export type SessionRow = {
  id: string
  user_id: string
  user_agent: string
  ip: string
  created_at: Date
  last_used_at: Date
  expires_at: Date
  ends_at: Date
  revoked_at: Date | null
  revoke_reason: string | null
}

export type RefreshTokenRow = {
  id: string
  user_id: string
  session_id: string
  token_hash: Buffer
  created_at: Date
  expires_at: Date
  used_at: Date | null
  revoked_at: Date | null
  successor_id: string | null
  successor_sealed: Buffer | null
}

export type MailedTokenRow = {
  id: string
  token_hash: Buffer
  created_at: Date
  expires_at: Date
  used_at: Date | null
}

export type ServiceAccountRow = {
  id: string
  name: string
  kind: 'service' | 'tool'
  secret_hashes: Buffer[]
  permissions: string[]
  created_at: Generated<Date>
  last_used_at: Date | null
  revoked_at: Date | null
}

export type SigningKeyRow = {
  kid: string
  public_key: string
  private_sealed: Buffer
  secret_id: string
  signs_from: Date
  created_at: Generated<Date>
}

export type ThrottleRow = {
  key: string
  count: number
  started_at: Date
  last_at: Date
  blocked_until: Date | null
}

export type VendorRow = { vendor_id: string; is_active: boolean; sequence: bigint; members_sequence: bigint }

export type VendorMemberRow = {
  vendor_id: string
  user_id: string
  is_member: boolean
  permissions: string[]
  sequence: bigint
}

export type Database = EventTables & {
  users: UserRow
  roles: RoleRow
  user_roles: { user_id: string; role_id: string }
  permissions: { id: Generated<string>; key: string }
  role_permissions: { role_id: string; perm_id: string }
  sessions: SessionRow
  refresh_tokens: RefreshTokenRow
  password_resets: MailedTokenRow & { user_id: string | null }
  email_verifications: MailedTokenRow & { user_id: string }
  service_accounts: ServiceAccountRow
  signing_keys: SigningKeyRow
  throttles: ThrottleRow
  vendors: VendorRow
  vendor_members: VendorMemberRow
}
