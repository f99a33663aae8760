namespace Pelican.Transfer;

/// <summary>
/// URL of an object or collection in a federation: <c>pelican://host/path</c>, <c>osdf:///path</c>, <c>stash:///path</c>,
/// each with an optional <c>token+</c> before the scheme, or a bare path in the configured federation
/// (federation-protocol 1.1–1.5).
/// </summary>
internal sealed record ObjectUrl
{
    private static readonly string[] Schemes = ["pelican", "osdf", "stash"];

    /// <summary>The URL as the user wrote it.</summary>
    public required string Text { get; init; }

    /// <summary>The URL for results and messages: without a query that holds a credential.</summary>
    public string Shown => HasCredential ? Text.Split('?')[0] : Text;

    /// <summary>Base of the discovery request: scheme, host and port, e.g. <c>https://fed.example.org</c>.</summary>
    public required Uri Federation { get; init; }

    /// <summary>Path of the object in the federation.</summary>
    public required ObjectPath Path { get; init; }

    /// <summary>The object itself, whatever is asked of it: without query and credential.</summary>
    public string Key => Federation.GetLeftPart(UriPartial.Authority) + Path.Encoded;

    /// <summary>Whether the path was written with a slash at its end: a collection is meant.</summary>
    public bool EndsWithSlash { get; init; }

    /// <summary>Name of the credential (<c>name+osdf://…</c>), lower case; null when none is given.</summary>
    public string? TokenName { get; init; }

    /// <summary>Query for the director as written, without the question mark; empty for none.</summary>
    public string Query { get; init; } = "";

    /// <summary>Whether origins are wanted (<c>?directread</c>).</summary>
    public bool DirectRead { get; init; }

    /// <summary>Whether a whole tree is meant (<c>?recursive</c>). The parameter is ours alone: directors make other demands for it (federation-protocol 1.5.8).</summary>
    public bool Recursive { get; init; }

    /// <summary>Whether the query holds a credential; it goes to the director, as the Go client sends it.</summary>
    public bool HasCredential { get; init; }

    /// <summary>Whether a text names something in a federation rather than a local file.</summary>
    public static bool IsRemote(string text) => SchemeOf(text) is { } scheme && Schemes.Contains(LastPart(scheme));

    /// <summary>Parses what the user wrote.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/> or <see cref="Errors.NotSupported"/>.</exception>
    public static ObjectUrl Parse(string text, ClientSettings settings)
    {
        string? scheme = SchemeOf(text);
        if (scheme is null)
        {
            return ParseBare(text, settings);
        }

        int plus = scheme.LastIndexOf('+');
        string kind = LastPart(scheme);
        if (!Schemes.Contains(kind))
        {
            throw Bad(text, $"the scheme '{scheme}' is not understood",
                "Object URLs begin with pelican://, osdf:// or stash://.");
        }

        string rest = text[(scheme.Length + 1)..];
        if (!rest.StartsWith("//", StringComparison.Ordinal))
        {
            throw Bad(text, $"'{scheme}:' is not followed by '//'",
                kind == "pelican" ? "Write pelican://<federation>/<path>." : $"Write {scheme}:///<path>.");
        }

        (string authority, string path, string query) = SplitTarget(text, rest[2..]);
        Uri federation;
        if (kind == "pelican")
        {
            federation = FederationBase(text, authority);
        }
        else
        {
            // osdf://a/b means osdf:///a/b: there is but one federation of that name.
            if (authority.Contains(':', StringComparison.Ordinal) || authority.Contains('@', StringComparison.Ordinal))
            {
                throw Bad(text, $"{kind} URLs have no host or port", $"Write {scheme}:///<path>.");
            }

            path = authority.Length == 0 ? path : "/" + authority + path;
            federation = new Uri("https://" + settings.OsdfDiscoveryHost);
        }

        return Build(text, federation, path, query) with { TokenName = plus < 0 ? null : scheme[..plus] };
    }

    private static ObjectUrl ParseBare(string text, ClientSettings settings)
    {
        if (!text.StartsWith('/'))
        {
            throw Bad(text, "it is not an object URL",
                "Write pelican://<federation>/<path>, osdf:///<path>, or with -f an absolute path.");
        }

        if (string.IsNullOrEmpty(settings.DiscoveryUrl))
        {
            throw Bad(text, "it has no scheme and no federation is configured",
                "Write pelican://<federation>/<path>, or name the federation with -f or Federation.DiscoveryUrl.");
        }

        (_, string path, string query) = SplitTarget(text, text);
        return Build(text, ConfiguredFederation(settings.DiscoveryUrl), path, query);
    }

    private static ObjectUrl Build(string text, Uri federation, string path, string query)
    {
        ObjectUrl url = new()
        {
            Text = text,
            Federation = federation,
            Path = ObjectPath.FromEscaped(path),
            EndsWithSlash = path.Length == 0 || path.EndsWith('/'),
            Query = query,
        };
        return WithQuery(url, query);
    }

    private static ObjectUrl WithQuery(ObjectUrl url, string query)
    {
        HashSet<string> seen = [];
        bool credential = false;
        foreach (string part in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string name = part.Split('=', 2)[0];
            switch (name)
            {
                case "pack":
                    throw new PelicanException(Errors.NotSupported, $"'?{name}' in {url.Text}: this is not there yet",
                        "Make or unpack the archive yourself for now.");
                case "recursive" when part is not ("recursive" or "recursive=" or "recursive=true" or "recursive=1"):
                    // The Go client takes "recursive=false" for recursive.
                    throw Bad(url.Text, $"'{part}' can be read in two ways", "Write ?recursive for a whole tree, or leave it out.");
                case "recursive" or "directread" or "prefercached" or "skipstat":
                    if (!seen.Add(name))
                    {
                        throw Bad(url.Text, $"the parameter '{name}' is given twice", "Give it once.");
                    }

                    break;
                case "authz" or "access_token":
                    credential = true;
                    break;
                default:
                    // Passing it on would read, replace or delete the object whose name ends before the '?'.
                    throw Bad(url.Text, $"'{part}' after the '?' is no parameter",
                        "A '?' in an object's name is written %3F; the parameters are recursive, directread, prefercached and skipstat.");
            }
        }

        if (seen.Contains("directread") && seen.Contains("prefercached"))
        {
            throw Bad(url.Text, "'directread' and 'prefercached' exclude each other", "Give one of them.");
        }

        return url with
        {
            Query = seen.Contains("recursive") ? string.Join('&', query.Split('&').Where(part => part.Split('=')[0] != "recursive")) : query,
            DirectRead = seen.Contains("directread"),
            Recursive = seen.Contains("recursive"),
            HasCredential = credential,
        };
    }

    /// <summary>The URL of what is below this one, or of this one without its <c>?recursive</c>, spelled as this one is.</summary>
    /// <param name="plainPath">Names with slashes between them, nothing escaped; empty for this one.</param>
    public ObjectUrl Below(string plainPath)
    {
        ObjectPath path = plainPath.Length == 0 ? Path : Path.Append(plainPath);
        string? scheme = SchemeOf(Text);
        string authority = scheme is not null && LastPart(scheme) == "pelican" ? Federation.Authority : "";
        return this with
        {
            Text = (scheme is null ? "" : $"{scheme}://{authority}") + path.Encoded + (Query.Length == 0 ? "" : "?" + Query),
            Path = path,
            EndsWithSlash = false,
            Recursive = false,
        };
    }

    private static (string Authority, string Path, string Query) SplitTarget(string text, string target)
    {
        if (target.Contains('#', StringComparison.Ordinal))
        {
            // Dropping a fragment silently would fetch another object than the one meant.
            throw Bad(text, "it has a '#', which begins a fragment", "A '#' in an object's name is written %23.");
        }

        int question = target.IndexOf('?', StringComparison.Ordinal);
        string query = question < 0 ? "" : target[(question + 1)..];
        string before = question < 0 ? target : target[..question];
        int slash = before.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? (before, "", query) : (before[..slash], before[slash..], query);
    }

    private static Uri FederationBase(string text, string authority)
    {
        if (authority.Length == 0)
        {
            throw Bad(text, "it names no federation", "Write pelican://<federation>/<path>: two slashes, then the host.");
        }

        if (authority.Contains('@', StringComparison.Ordinal)
            || !Uri.TryCreate("https://" + authority + "/", UriKind.Absolute, out Uri? uri) || uri.AbsolutePath != "/")
        {
            throw Bad(text, $"'{authority}' is not a host name with an optional port", "Write pelican://<host>[:<port>]/<path>.");
        }

        return uri;
    }

    /// <summary>Base URL of a configured federation: <c>https</c> unless it says otherwise, no path.</summary>
    private static Uri ConfiguredFederation(string discoveryUrl)
    {
        string text = discoveryUrl.Contains("://", StringComparison.Ordinal) ? discoveryUrl : "https://" + discoveryUrl;
        if (text.StartsWith("pelican://", StringComparison.OrdinalIgnoreCase))
        {
            text = "https" + text["pelican".Length..];
        }

        return Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"
            && uri is { AbsolutePath: "/", Query: "", Fragment: "" } && uri.UserInfo.Length == 0
            ? uri
            : throw new PelicanException(Errors.Parameter, $"'{discoveryUrl}' is not the URL of a federation",
                "Give -f or Federation.DiscoveryUrl as https://<host>[:<port>], without a path.");
    }

    // RFC 3986 3.1; a name that merely contains "://" further on is a local file.
    private static string? SchemeOf(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || !char.IsAsciiLetter(text[0]))
        {
            return null;
        }

        string scheme = text[..colon];
        bool isScheme = scheme.All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.' or '_');
        bool isUrl = text.AsSpan(colon).StartsWith("://") || Schemes.Contains(LastPart(scheme.ToLowerInvariant()));
        return isScheme && isUrl ? scheme.ToLowerInvariant() : null;
    }

    private static string LastPart(string scheme) => scheme[(scheme.LastIndexOf('+') + 1)..];

    private static PelicanException Bad(string text, string why, string nextStep) =>
        new(Errors.Parameter, $"cannot use the URL '{text}': {why}", nextStep);
}
