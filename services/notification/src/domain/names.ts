import { enumNames } from '@haat/kit/enum'
import { Channel, MessageStatus, Topic } from '@haat/proto/notification/v1/notification'

export type ChannelName = 'email' | 'sms' | 'push'
export type TopicName = 'account' | 'orders' | 'shipping' | 'reviews' | 'vendor' | 'marketing'

export const channels = enumNames(Channel)
export const topics = enumNames(Topic)
export const statuses = enumNames(MessageStatus)
