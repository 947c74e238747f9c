import { type EventHandler, on } from '@haat/kit/events/on'
import { ProfileUpdated, UserForgotten } from '@haat/proto/profile/v1/events'
import {
  VendorApproved,
  VendorMemberAdded,
  VendorMemberRemoved,
  VendorRejected,
  VendorSuspended,
} from '@haat/proto/vendor/v1/events'
import type { AuthContext } from '../context.ts'
import { onProfileUpdated } from './on-profile-updated.ts'
import { onUserForgotten } from './on-user-forgotten.ts'
import { onVendorApproved } from './on-vendor-approved.ts'
import { onVendorMemberAdded } from './on-vendor-member-added.ts'
import { onVendorMemberRemoved } from './on-vendor-member-removed.ts'
import { onVendorSuspended } from './on-vendor-suspended.ts'

export const events: EventHandler<AuthContext>[] = [
  on(VendorApproved, onVendorApproved),
  on(VendorSuspended, onVendorSuspended),
  on(VendorRejected, onVendorSuspended),
  on(VendorMemberAdded, onVendorMemberAdded),
  on(VendorMemberRemoved, onVendorMemberRemoved),
  on(ProfileUpdated, onProfileUpdated),
  on(UserForgotten, onUserForgotten),
]
