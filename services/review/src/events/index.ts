import { type EventHandler, onIdempotent } from '@haat/kit/events/on'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import type { ReviewContext } from '../context.ts'
import { onUserForgotten } from './on-user-forgotten.ts'

export const events: EventHandler<ReviewContext>[] = [onIdempotent(UserForgotten, onUserForgotten)]
