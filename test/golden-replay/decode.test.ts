import { describe, expect, it } from 'vitest'
import {
  connectionsOf,
  readScenario,
  readScenarioText,
  scenarioNames,
  type WireFrame,
} from '../support/golden-wire.ts'
import { textOfEvent } from '../support/wire-text.ts'

const scenarios = scenarioNames.map(readScenario)
const frames = scenarios.flatMap(({ name, events }) =>
  events
    .filter((event): event is WireFrame => event.kind === 'frame')
    .map((frame) => ({ name, frame })),
)

/**
 * The texts have words of their own for what a test client broke on purpose, for connect-phase frames
 * that are not the expected ones, and for nulls where our codecs, like the server, want a value.
 */
const unified = (line: string): string =>
  line
    .replace('(malformed on purpose: )', "''")
    .replace(/\(malformed on purpose: ([0-9a-f]+)\)$/, 'x$1')
    .replace(/ConnectResponse again (.*)$/, 'ConnectResponse $1 readOnly=False')
    .replace(
      /ReplyHeader instead of ConnectResponse \{xid=0, zxid=(\d+), err=-119\}/,
      'xid=0 zxid=$1 err=-119(NotReadOnly) ? ',
    )
    .replace('getData(4) {path=None, watch=False}', 'getData(4) xffffffff00')

describe('recordings of a real server', () => {
  it('are all there', () => {
    expect(scenarioNames.length).toBe(26)
    expect(frames.length).toBe(1176)
  })

  it.each(scenarioNames)('%s decodes to what an independent decoder read', (name) => {
    const scenario = readScenario(name)
    const ours = scenario.events.map((event) => unified(textOfEvent(event)))
    const theirs = readScenarioText(name).trimEnd().split('\n').map(unified)
    expect(ours).toEqual(theirs)
  })

  it('are written again byte for byte', () => {
    const changed = frames.filter(({ frame }) => !frame.rewritten.equals(frame.bytes))
    expect(
      changed.map(({ name, frame }) => `${name} #${frame.conn} ${frame.bytes.toString('hex')}`),
    ).toEqual([])
  })

  it('have no undecodable part but the ones that a client sent on purpose', () => {
    const raw = frames.flatMap(({ name, frame: { direction, message } }) => {
      if (message.kind === 'undecodable')
        return [`${name} ${direction} ${message.bytes.toString('hex')}`]
      const isRaw =
        (message.kind === 'request' || message.kind === 'reply') && message.body.kind === 'raw'
      return isRaw ? [`${name} ${direction} of op ${message.op}`] : []
    })
    expect(raw).toEqual([
      'raw-badop request of op 20',
      'raw-badop request of op -10',
      'raw-badop request of op 100',
      'raw-handshake request 7fffffff',
      'raw-ops request of op 4',
      'raw-ops request of op 1',
      'raw-ops request of op 4',
    ])
  })

  it('answer each request of a connection that lived on', () => {
    const unanswered = scenarios.flatMap((scenario) =>
      connectionsOf(scenario).flatMap(({ conn, replies }) =>
        replies
          .filter(({ message }) => message.kind === 'reply' && message.op === undefined)
          .map(() => `${scenario.name} #${conn}`),
      ),
    )
    // The read-only server's bare header stands for a connect response, and answers no request.
    expect(unanswered).toEqual(['raw-readonly-server #2'])
  })
})
