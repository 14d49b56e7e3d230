/** A person who may sign in and let agents act in their name. */
export interface UserRecord {
  readonly tenant: string;
  /** The `sub` of passports in their name. */
  readonly id: string;
  /** What they type to sign in: lower case. */
  readonly name: string;
  readonly displayName: string;
  /** Argon2id in PHC form; null: no password was chosen. */
  readonly password: string | null;
  readonly status: 'active' | 'disabled';
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Grows by one with each change: the compare-and-set key. */
  readonly revision: number;
}

/** A link by which a user chooses how to sign in. One for each user; used once. */
export interface UserLinkRecord {
  readonly tenant: string;
  readonly userId: string;
  /** Keyed hash of the token in the link. */
  readonly hash: string;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** `upstream`: another provider said so, maybe without asking them again; `upstream-again`: it asked them. */
export type SignInMethod = 'password' | 'passkey' | 'upstream' | 'upstream-again' | 'link';

/** A browser in which somebody is signed in. */
export interface SignInSessionRecord {
  /** Keyed hash of the cookie. */
  readonly hash: string;
  readonly tenant: string;
  readonly userId: string;
  readonly method: SignInMethod;
  readonly signedInAt: number;
  readonly expiresAt: number;
}

export interface PasskeyRecord {
  readonly tenant: string;
  /** The credential's id, base64url. */
  readonly id: string;
  readonly userId: string;
  /** COSE key, base64url. */
  readonly publicKey: string;
  /** As the authenticator last told it; 0: it does not count. */
  readonly counter: number;
  readonly transports: readonly string[];
  readonly label: string;
  readonly createdAt: number;
  readonly usedAt: number | null;
}

/** Who a user is at another OpenID provider. */
export interface IdentityRecord {
  readonly tenant: string;
  readonly issuer: string;
  readonly subject: string;
  readonly userId: string;
  readonly createdAt: number;
}

export type OwnPasskey = Pick<PasskeyRecord, 'tenant' | 'id' | 'userId'>;

/** Things that may be seen once. */
export interface OnceStore {
  /** True for exactly one caller for each kind and key until `expiresAt` (ms). */
  insertIfAbsent(
    entry: { readonly kind: string; readonly key: string; readonly expiresAt: number },
    now: number,
  ): Promise<boolean>;
}

export interface PeopleStore {
  /** False when the id or the name is taken. */
  insertUser(user: UserRecord): Promise<boolean>;
  /** Writes `user` where the stored revision is `user.revision - 1`; false when it is not. */
  updateUser(user: UserRecord): Promise<boolean>;
  user(tenant: string, id: string): Promise<UserRecord | null>;
  userByName(tenant: string, name: string): Promise<UserRecord | null>;
  users(
    tenant: string,
    page: { readonly after: string | null; readonly limit: number },
  ): Promise<UserRecord[]>;
  /** With all that hangs on it: links, sessions, passkeys, identities. */
  deleteUser(tenant: string, id: string): Promise<boolean>;

  /** In place of the link that the user had. */
  putLink(link: UserLinkRecord): Promise<void>;
  linkByHash(hash: string): Promise<UserLinkRecord | null>;
  /** True for exactly one caller. */
  takeLink(hash: string, now: number): Promise<boolean>;

  insertSession(session: SignInSessionRecord): Promise<void>;
  session(hash: string): Promise<SignInSessionRecord | null>;
  deleteSession(hash: string): Promise<void>;
  deleteSessions(tenant: string, userId: string): Promise<void>;

  /** False when the passkey is known. */
  insertPasskey(passkey: PasskeyRecord): Promise<boolean>;
  passkey(tenant: string, id: string): Promise<PasskeyRecord | null>;
  passkeys(tenant: string, userId: string): Promise<PasskeyRecord[]>;
  /** Compare-and-set of the counter: false when another sign-in was faster, or the counter stands elsewhere. */
  usePasskey(
    passkey: Pick<PasskeyRecord, 'tenant' | 'id'>,
    change: { readonly from: number; readonly to: number; readonly now: number },
  ): Promise<boolean>;
  /** False when it is not a passkey of this user. */
  renamePasskey(passkey: OwnPasskey, label: string): Promise<boolean>;
  deletePasskey(passkey: OwnPasskey): Promise<boolean>;
  deletePasskeys(tenant: string, userId: string): Promise<void>;

  /** False when issuer and subject are somebody's. */
  insertIdentity(identity: IdentityRecord): Promise<boolean>;
  identity(tenant: string, issuer: string, subject: string): Promise<IdentityRecord | null>;
  identities(tenant: string, userId: string): Promise<IdentityRecord[]>;
  deleteIdentity(identity: Omit<IdentityRecord, 'createdAt'>): Promise<boolean>;
  deleteIdentities(tenant: string, userId: string): Promise<void>;

  deleteExpired(before: number): Promise<number>;
}
