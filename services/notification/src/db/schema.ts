import type { EventTables } from '@haat/kit/events/schema'
import type { Selectable } from '@haat/kit/postgres'
import type { Generated, JSONColumnType } from 'kysely'
import type { Locale } from '../domain/locale.ts'
import type { ChannelName, TopicName } from '../domain/names.ts'
import type { Payload } from '../domain/values.ts'

/** JSON that is written as text, so that nothing guesses at its type. */
type Json = JSONColumnType<Payload, string, string>

export type TemplateRow = {
  id: string
  key: string
  channel: ChannelName
  locale: Locale
  version: number
  subject: string
  body_md: string
  topic: TopicName
  confidential: boolean
  is_current: boolean
  built_in: boolean
  created_by: string | null
  created_at: Generated<Date>
}

export type PersonRow = {
  user_id: string
  email: Generated<string>
  name: Generated<string>
  phone: Generated<string>
  locale: Generated<Locale>
  marketing_opt_in: Generated<boolean>
  profile_sequence: Generated<bigint>
  forgotten_at: Date | null
}

export type PreferenceRow = {
  user_id: string
  topic: TopicName
  channel: ChannelName
  enabled: boolean
  updated_at: Generated<Date>
}

export type PushSubscriptionRow = {
  id: string
  user_id: string
  endpoint: string
  p256dh: string
  auth: string
  created_at: Generated<Date>
}

export type NoticeRow = {
  id: string
  event_id: string
  template_key: string
  vendor_id: string
  permission: string
  payload_json: Json
  status: Generated<'queued' | 'failed'>
  error: Generated<string>
  attempts: Generated<number>
  next_attempt_at: Date | null
  leased_until: Date | null
  created_at: Generated<Date>
}

export type MessageRow = {
  id: string
  template_key: string
  template_version: Generated<number>
  channel: ChannelName
  locale: Generated<Locale | ''>
  topic: TopicName
  confidential: Generated<boolean>
  user_id: string | null
  to: Generated<string>
  recipient: string
  payload_json: Json
  subject: Generated<string>
  body_html: Generated<string>
  body_text: Generated<string>
  link: Generated<string>
  status: 'queued' | 'sent' | 'failed' | 'suppressed'
  priority: Generated<number>
  provider: Generated<string>
  provider_id: Generated<string>
  error: Generated<string>
  attempts: Generated<number>
  next_attempt_at: Date | null
  leased_until: Date | null
  expires_at: Date | null
  event_id: string | null
  dedupe_key: string | null
  request_hash: string | null
  created_at: Generated<Date>
  sent_at: Date | null
}

export type WebhookRow = {
  id: string
  vendor_id: string
  url: string
  event_types: string[]
  secret: string
  failures: Generated<number>
  last_success_at: Date | null
  created_at: Generated<Date>
}

export type WebhookDeliveryRow = {
  id: string
  webhook_id: string
  event_id: string
  event_type: string
  body: string
  status: Generated<'queued' | 'sent' | 'failed'>
  error: Generated<string>
  attempts: Generated<number>
  next_attempt_at: Date | null
  leased_until: Date | null
  created_at: Generated<Date>
  sent_at: Date | null
}

export type Database = EventTables & {
  templates: TemplateRow
  people: PersonRow
  preferences: PreferenceRow
  push_subscriptions: PushSubscriptionRow
  notices: NoticeRow
  messages: MessageRow
  webhooks_out: WebhookRow
  webhook_deliveries: WebhookDeliveryRow
}

export type StoredTemplate = Selectable<TemplateRow>
export type StoredPerson = Selectable<PersonRow>
export type StoredMessage = Selectable<MessageRow>
export type StoredNotice = Selectable<NoticeRow>
export type StoredWebhook = Selectable<WebhookRow>
export type StoredDelivery = Selectable<WebhookDeliveryRow>
