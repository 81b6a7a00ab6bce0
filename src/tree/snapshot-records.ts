/**
 * A tree and its sessions as a stream of records (spec 02 §4, steps 2 to 4):
 *
 *     count:int  (session:long timeout:int)*
 *     count:int  (key:long acl:vector<ACL>)*
 *     (path:ustring data:buffer aclKey:long StatPersisted)*  "/"
 *
 * Parents stand before their children; the root's path is empty. Key -1 is the open ACL.
 */
export const OPEN_ACL_KEY = -1
export const ROOT_RECORD_PATH = ''
export const END_PATH = '/'
