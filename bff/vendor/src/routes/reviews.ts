import { createRoutes, route } from '@haat/kit/http/route'
import { pageArgs, pageOf, pageQuery, strict, uuidSchema, z } from '@haat/kit/http/schemas'
import { viewOf } from '@haat/kit/http/view'
import { Review } from '@haat/proto/review/v1/review'
import { ownVendor, type VendorBffContext } from '../context.ts'

const tags = ['reviews']
const review = viewOf(Review, { omit: ['userId'], name: 'VendorReview' })

const list = route({
  method: 'get',
  path: '/vendors/{vendorId}/reviews',
  summary: 'What customers say about my products',
  tags,
  auth: 'vendor',
  params: z.object({ vendorId: uuidSchema }),
  query: z.object({ ...pageQuery, productId: uuidSchema.optional(), unanswered: z.stringbool().default(false) }),
  response: pageOf(review.schema),
})
const reply = route({
  method: 'put',
  path: '/vendors/{vendorId}/reviews/{id}/reply',
  summary: 'Answer a review in public; a second answer replaces the first',
  tags,
  auth: 'vendor',
  params: z.object({ vendorId: uuidSchema, id: uuidSchema }),
  body: strict({ body: z.string().trim().min(1).max(2000) }),
  response: review.schema,
})

export function reviewRoutes(ctx: VendorBffContext) {
  return createRoutes()
    .openapi(list, async (c) => {
      const { productId, unanswered, ...page } = c.req.valid('query')
      const answer = await ctx.review.listVendorReviews({
        vendorId: ownVendor(c, c.req.valid('param').vendorId),
        withoutReplyOnly: unanswered,
        ...pageArgs(page),
        ...(productId ? { productId } : {}),
      })
      return c.json({ items: answer.reviews.map(review.toJson), nextPageToken: answer.nextPageToken }, 200)
    })
    .openapi(reply, async (c) => {
      ownVendor(c, c.req.valid('param').vendorId)
      const answer = await ctx.review.replyToReview({
        reviewId: c.req.valid('param').id,
        body: c.req.valid('json').body,
      })
      return c.json(review.toJson(answer.review!), 200)
    })
}
