import type { RpcTable } from '@haat/kit/grpc-server'
import type { NotificationServiceImplementation } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'
import { createWebhook } from './create-webhook.ts'
import { deleteTemplate } from './delete-template.ts'
import { deleteWebhook } from './delete-webhook.ts'
import { getMessage } from './get-message.ts'
import { getPreferences } from './get-preferences.ts'
import { getPushKey } from './get-push-key.ts'
import { listMessages } from './list-messages.ts'
import { listTemplates } from './list-templates.ts'
import { listWebhooks } from './list-webhooks.ts'
import { previewTemplate } from './preview-template.ts'
import { retryMessage } from './retry-message.ts'
import { send } from './send.ts'
import { setPreferences } from './set-preferences.ts'
import { subscribePush } from './subscribe-push.ts'
import { unsubscribe } from './unsubscribe.ts'
import { unsubscribePush } from './unsubscribe-push.ts'
import { upsertTemplate } from './upsert-template.ts'

export const rpc: RpcTable<NotificationContext, NotificationServiceImplementation> = {
  createWebhook,
  deleteTemplate,
  deleteWebhook,
  getMessage,
  getPreferences,
  getPushKey,
  listMessages,
  listTemplates,
  listWebhooks,
  previewTemplate,
  retryMessage,
  send,
  setPreferences,
  subscribePush,
  unsubscribe,
  unsubscribePush,
  upsertTemplate,
}
