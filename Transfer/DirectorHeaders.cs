using System.Globalization;

namespace Pelican.Transfer;

/// <summary>Reads what a director (or an origin that answers for itself) says in headers (federation-protocol 2.4–2.7).</summary>
internal static class DirectorHeaders
{
    /// <summary>Reads a whole answer. A missing header means "not said"; unknown keys are ignored.</summary>
    public static DirectorAnswer Read(HttpResponseMessage response)
    {
        string? linkHeader = Joined(response, "Link");
        List<Uri> servers = linkHeader is null ? [] : Links(linkHeader);
        if (servers.Count == 0 && response.Headers.Location is { } location && Exact(location.OriginalString) is { } only)
        {
            servers.Add(HttpStack.WithoutCredential(only));
        }

        Dictionary<string, List<string>> space = Pairs(Joined(response, "X-Pelican-Namespace"));
        Dictionary<string, List<string>> generation = Pairs(Joined(response, "X-Pelican-Token-Generation"));
        string collections = One(space, "collections-url") ?? "";
        return new DirectorAnswer
        {
            Servers = servers,
            Namespace = (One(space, "namespace") ?? "").TrimEnd('/'),
            RequireToken = One(space, "require-token") is "1" or "t" or "T" or "true" or "TRUE" or "True",
            CollectionsUrl = collections.Length > 0 && Exact(collections) is { } url ? url : null,
            Issuers = All(Pairs(Joined(response, "X-Pelican-Authorization")), "issuer"),
            TokenGeneration = generation.Count == 0 ? null : new TokenGeneration(
                All(generation, "issuer"),
                One(generation, "base-path"),
                One(generation, "strategy"),
                int.TryParse(One(generation, "max-scope-depth"), NumberStyles.None, CultureInfo.InvariantCulture, out int depth) ? depth : 0),
        };
    }

    /// <summary>Whether an answer carries what only a Pelican server says.</summary>
    public static bool HasNamespace(HttpResponseMessage response) => response.Headers.Contains("X-Pelican-Namespace");

    /// <summary>
    /// URLs of the <c>rel="duplicate"</c> links by ascending <c>pri</c>, equal ones in the order given (RFC 8288, RFC 6249).
    /// </summary>
    internal static List<Uri> Links(string header)
    {
        List<(Uri Url, int Priority)> links = [];
        int at = 0;
        while ((at = header.IndexOf('<', at)) >= 0)
        {
            int close = header.IndexOf('>', at);
            if (close < 0)
            {
                break;
            }

            Uri? url = Exact(header[(at + 1)..close].Trim());
            (Dictionary<string, string> parameters, at) = LinkParameters(header, close + 1);
            bool duplicate = !parameters.TryGetValue("rel", out string? rel)
                || rel.Split(' ', StringSplitOptions.RemoveEmptyEntries).Contains("duplicate", StringComparer.OrdinalIgnoreCase);
            if (url is not null && duplicate)
            {
                int priority = int.TryParse(parameters.GetValueOrDefault("pri"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int p)
                    ? p
                    : 0;
                links.Add((HttpStack.WithoutCredential(url), priority));
            }
        }

        return [.. links.OrderBy(link => link.Priority).Select(link => link.Url)];
    }

    /// <summary>A URL of a server, its escapes left as they are; null when it is none for us.</summary>
    internal static Uri? Exact(string text) =>
        Uri.TryCreate(text, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }, out Uri? uri)
        && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0
            ? uri
            : null;

    // *( ";" name [ "=" ( token / quoted-string ) ] ), up to the comma that ends the link.
    private static (Dictionary<string, string> Parameters, int End) LinkParameters(string header, int at)
    {
        Dictionary<string, string> parameters = new(StringComparer.OrdinalIgnoreCase);
        int start = at;
        bool quoted = false;
        for (; at <= header.Length; at++)
        {
            bool end = at == header.Length || (!quoted && header[at] is ',' or ';');
            if (!end)
            {
                if (header[at] == '\\' && quoted)
                {
                    at++;
                }
                else if (header[at] == '"')
                {
                    quoted = !quoted;
                }

                continue;
            }

            string[] pair = header[start..Math.Min(at, header.Length)].Split('=', 2);
            if (pair.Length == 2)
            {
                // RFC 8288 3: the first occurrence of a parameter counts.
                parameters.TryAdd(pair[0].Trim(), pair[1].Trim().Trim('"'));
            }

            start = at + 1;
            if (at >= header.Length || header[at] == ',')
            {
                break;
            }
        }

        return (parameters, Math.Min(at, header.Length));
    }

    private static string? Joined(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(", ", values) : null;

    private static Dictionary<string, List<string>> Pairs(string? header)
    {
        Dictionary<string, List<string>> pairs = new(StringComparer.OrdinalIgnoreCase);
        foreach (string part in (header ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string[] pair = part.Split('=', 2, StringSplitOptions.TrimEntries);
            if (pair.Length == 2 && pair[1].Length > 0)
            {
                if (!pairs.TryGetValue(pair[0], out List<string>? values))
                {
                    pairs[pair[0]] = values = [];
                }

                values.Add(pair[1]);
            }
        }

        return pairs;
    }

    private static string? One(Dictionary<string, List<string>> pairs, string key) => pairs.TryGetValue(key, out List<string>? values) ? values[0] : null;

    private static List<string> All(Dictionary<string, List<string>> pairs, string key) => pairs.GetValueOrDefault(key) ?? [];
}
