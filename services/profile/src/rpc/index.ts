import type { RpcTable } from '@haat/kit/grpc-server'
import type { ProfileServiceImplementation } from '@haat/proto/profile/v1/profile'
import type { ProfileContext } from '../context.ts'
import { batchGetProfiles } from './batch-get-profiles.ts'
import { createAddress } from './create-address.ts'
import { deleteAddress } from './delete-address.ts'
import { exportMyData } from './export-my-data.ts'
import { forgetMe } from './forget-me.ts'
import { getProfile } from './get-profile.ts'
import { listAddresses } from './list-addresses.ts'
import { setDefaultAddress } from './set-default-address.ts'
import { updateAddress } from './update-address.ts'
import { updateProfile } from './update-profile.ts'

export const rpc: RpcTable<ProfileContext, ProfileServiceImplementation> = {
  batchGetProfiles,
  createAddress,
  deleteAddress,
  exportMyData,
  forgetMe,
  getProfile,
  listAddresses,
  setDefaultAddress,
  updateAddress,
  updateProfile,
}
