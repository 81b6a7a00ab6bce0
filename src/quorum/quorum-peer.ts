import type { LinkEvents, LinkId, LinkPort } from './links.ts'
import type { RoleParts } from './role.ts'
export class QuorumPeer implements LinkEvents {
  readonly parts: RoleParts
  constructor(parts: RoleParts, _nowMono: number) {
    this.parts = parts
  }
  start(): void {}
  close(): void {}
  flush(): void {}
  advance(_now: number): void {}
  onLinkAccepted(_link: LinkId, _port: LinkPort): void {}
  onLinkOpened(_link: LinkId): void {}
  onLinkBytes(_link: LinkId, _bytes: Buffer): void {}
  onLinkClosed(_link: LinkId): void {}
  onLinkDrained(_link: LinkId): void {}
}
