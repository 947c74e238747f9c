import type { Credentials } from '../rpcs.ts'

/** Whoever calls, as the matrix knows them: what their token says, and whose things are theirs. */
export type Identity = {
  name: string
  kind: 'nobody' | 'person' | 'tool' | 'service' | 'edge'
  who: Credentials
  roles: readonly string[]
  permissions: readonly string[]
  /** The world they live in; what they own there is `own` to them. */
  home: 'A' | 'B'
  isCustomer: boolean
  /** The vendor of their world that they work for. */
  vendorId: string | undefined
  vendorPermissions: string[]
}
