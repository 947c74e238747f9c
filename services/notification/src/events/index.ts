import { type EventHandler, on } from '@haat/kit/events/on'
import { UserCreated } from '@haat/proto/auth/v1/events'
import { ProfileUpdated, UserForgotten } from '@haat/proto/profile/v1/events'
import type { NotificationContext } from '../context.ts'
import { notices } from './notices.ts'
import { isNotice, onNotice } from './on-notice.ts'
import { onProfileUpdated } from './on-profile-updated.ts'
import { onUserCreated } from './on-user-created.ts'
import { onUserForgotten } from './on-user-forgotten.ts'
import { isAskedFor, onWebhookEvent } from './on-webhook-event.ts'
import { webhookEvents } from './webhooks.ts'

// Three queues, since one event may concern all three and none should wait for, or be retried with, the others.
export const events: EventHandler<NotificationContext>[] = [
  on(UserCreated, onUserCreated, { name: 'people' }),
  on(ProfileUpdated, onProfileUpdated, { name: 'people' }),
  on(UserForgotten, onUserForgotten, { name: 'people' }),
  ...notices.map((notice) => on(notice.message, onNotice(notice), { name: 'messages', concerns: isNotice(notice) })),
  ...webhookEvents.map((event) =>
    on(event.message, onWebhookEvent(event), { name: 'webhooks', concerns: isAskedFor(event) }),
  ),
]
