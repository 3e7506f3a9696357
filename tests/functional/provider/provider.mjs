// An OpenID provider for tests: oidc-provider with one resource, two clients and the keys that it is started with.
// argv: the file to read {port, keys, ttl, back} from; back is where the console's browsers come back to.
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const { port, keys, ttl, back } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const issuer = `http://127.0.0.1:${port}`;

const resourceOf = (indicator) => ({
  scope: "registry",
  audience: indicator === "urn:registry" ? "registry" : "elsewhere",
  accessTokenFormat: "jwt",
  accessTokenTTL: ttl,
  jwt: { sign: { alg: "ES256" } },
});

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "hr-system",
      client_secret: "made-up-secret-of-the-hr-system",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: "ES256",
    },
    {
      client_id: "people",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code"],
      redirect_uris: ["http://127.0.0.1/back"],
      response_types: ["code"],
      application_type: "native",
      id_token_signed_response_alg: "ES256",
    },
    {
      client_id: "console",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code"],
      redirect_uris: [back],
      response_types: ["code"],
      application_type: "native",
      id_token_signed_response_alg: "ES256",
    },
  ],
  jwks: { keys },
  acrValues: ["phr"],
  scopes: ["openid", "registry"],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    dPoP: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => "urn:registry",
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, indicator) => resourceOf(indicator),
    },
  },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  extraTokenClaims: (ctx, token) => {
    if (token.kind === "ClientCredentials") return { roles: ["enroller"] };
    const code = ctx.oidc.entities.AuthorizationCode;
    // A sign-in of this provider is a strong one, made when it says.
    return { roles: ["reader"], acr: "phr", auth_time: code.authTime ?? code.iat };
  },
  cookies: { keys: ["made-up-cookie-key"] },
  pkce: { required: () => true },
  ttl: { Session: 600, Interaction: 600, Grant: 600, AuthorizationCode: 60 },
});

provider.listen(port, "127.0.0.1", () => console.log("listening"));
