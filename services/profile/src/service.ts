import { implement } from '@haat/kit/grpc-server'
import { type Service, startService } from '@haat/kit/service'
import { ProfileServiceDefinition } from '@haat/proto/profile/v1/profile'
import type { ProfileConfig } from './config.ts'
import { createContext, type ProfileContext } from './context.ts'
import { events } from './events/index.ts'
import { rpc } from './rpc/index.ts'

/** Starts profile; `overrides` replace parts of the context in tests. */
export const startProfile = (config: ProfileConfig, overrides: Partial<ProfileContext> = {}): Promise<Service> =>
  startService<ProfileContext>('profile', config, async (chassis) => ({
    ctx: { ...(await createContext(chassis)), ...overrides },
    rpcs: [implement(ProfileServiceDefinition, rpc)],
    events,
  }))
