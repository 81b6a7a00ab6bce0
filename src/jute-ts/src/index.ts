export { type FrameError, FrameSplitter } from './frame.ts'
export { JuteReader } from './reader.ts'
export { JuteWriter } from './writer.ts'
