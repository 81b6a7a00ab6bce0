import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { readScenario, scenarioNames, type WireFrame } from '../support/golden-wire.ts'
import { WireDecoder } from '../support/wire-decoder.ts'
import { damage, fuzzRuns, fuzzTimeoutMs } from './arbitraries.ts'

vi.setConfig({ testTimeout: fuzzTimeoutMs })

const conversations = scenarioNames.map((name) =>
  readScenario(name).events.filter((event): event is WireFrame => event.kind === 'frame'),
)

describe('recorded conversations, damaged', () => {
  it('are decoded to the end, whatever became of them', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...conversations),
        fc.array(fc.tuple(fc.nat(), damage), { minLength: 1, maxLength: 5 }),
        (frames, damages) => {
          const decoder = new WireDecoder()
          const payloads: Buffer[] = frames.map((frame) => frame.bytes.subarray(4))
          for (const [index, damaged] of damages) {
            const at = index % payloads.length
            payloads[at] = damaged(payloads[at] ?? Buffer.alloc(0))
          }
          for (const [index, frame] of frames.entries()) {
            const payload = payloads[index] ?? Buffer.alloc(0)
            const { rewritten } =
              frame.direction === 'request' ? decoder.request(payload) : decoder.reply(payload)
            // Text that is not UTF-8 grows when written again, threefold at most.
            expect(rewritten.length).toBeLessThanOrEqual(payload.length * 3 + 16)
          }
        },
      ),
      { numRuns: fuzzRuns },
    )
  })

  it('are refused at every length but their own', () => {
    for (const frames of conversations)
      for (const frame of frames) {
        const payload = frame.bytes.subarray(4)
        const { message } = frame
        if (message.kind !== 'request' || message.body.kind !== 'record') continue
        for (let length = 8; length < payload.length; length += 1) {
          const decoder = new WireDecoder()
          decoder.request(Buffer.alloc(44))
          const cut = decoder.request(payload.subarray(0, length)).message
          expect(cut).toMatchObject({ body: { kind: 'raw' } })
        }
      }
  })
})
