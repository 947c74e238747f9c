import { inputOf, queryOf } from '@haat/kit/http/input-of'
import { createRoutes, route } from '@haat/kit/http/route'
import { pageOf, uuidSchema, z } from '@haat/kit/http/schemas'
import { viewOf } from '@haat/kit/http/view'
import { ListModerationQueueRequest, ModerateReviewRequest, ModerationItem, Review } from '@haat/proto/review/v1/review'
import type { AdminBffContext } from '../context.ts'

const tags = ['reviews']
const item = viewOf(ModerationItem)
const review = viewOf(Review)

const queue = route({
  method: 'get',
  path: '/admin/reviews/queue',
  summary: 'Reviews that wait for a decision or were reported',
  tags,
  auth: 'staff',
  query: queryOf(ListModerationQueueRequest),
  response: pageOf(item.schema),
})
const moderate = route({
  method: 'post',
  path: '/admin/reviews/{id}/moderate',
  summary: 'Approve or reject a review',
  tags,
  auth: 'staff',
  params: z.object({ id: uuidSchema }),
  body: inputOf(ModerateReviewRequest, { omit: ['reviewId'] }),
  response: review.schema,
})

export function reviewRoutes(ctx: AdminBffContext) {
  return createRoutes()
    .openapi(queue, async (c) => {
      const { items, nextPageToken } = await ctx.review.listModerationQueue(c.req.valid('query'))
      return c.json({ items: items.map(item.toJson), nextPageToken }, 200)
    })
    .openapi(moderate, async (c) => {
      const answer = await ctx.review.moderateReview({ ...c.req.valid('json'), reviewId: c.req.valid('param').id })
      return c.json(review.toJson(answer.review!), 200)
    })
}
