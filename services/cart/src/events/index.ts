import { type EventHandler, onIdempotent } from '@haat/kit/events/on'
import { ProductApproved, ProductArchived, ProductUpdated } from '@haat/proto/catalog/v1/events'
import { OrderCreated } from '@haat/proto/order/v1/events'
import { UserForgotten } from '@haat/proto/profile/v1/events'
import type { CartContext } from '../context.ts'
import { onOrderCreated } from './on-order-created.ts'
import { onProductArchived, onProductChanged } from './on-product-changed.ts'
import { onUserForgotten } from './on-user-forgotten.ts'

// A popular product is in many carts.
const many = { timeoutSeconds: 300, concurrency: 4 }

export const events: EventHandler<CartContext>[] = [
  onIdempotent(OrderCreated, onOrderCreated),
  onIdempotent(ProductUpdated, onProductChanged, many),
  onIdempotent(ProductApproved, onProductChanged, many),
  onIdempotent(ProductArchived, onProductArchived, many),
  onIdempotent(UserForgotten, onUserForgotten),
]
