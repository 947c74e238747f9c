import { type EventHandler, on } from '@haat/kit/events/on'
import { UserCreated } from '@haat/proto/auth/v1/events'
import type { ProfileContext } from '../context.ts'
import { onUserCreated } from './on-user-created.ts'

export const events: EventHandler<ProfileContext>[] = [on(UserCreated, onUserCreated)]
