namespace Pelican.Federation;

/// <summary>How a director writes errors (federation-protocol 9.1).</summary>
public enum ErrorForm
{
    /// <summary><c>{"status":"error","msg":…}</c>, since 7.9.</summary>
    Message,

    /// <summary><c>{"error":…}</c>, 7.7 and 7.8.</summary>
    Error,

    /// <summary>Plain text, 7.0.</summary>
    Text,
}

/// <summary>What a director of some age sends (federation-protocol 9.1); vary it by <c>with</c>.</summary>
public sealed record DirectorStyle
{
    public static DirectorStyle Current { get; } = new();

    /// <summary>7.12: DELETE is known, COPY is not, no <c>Server</c> header, an expired token is not looked at.</summary>
    public static DirectorStyle V712 { get; } =
        new() { Server = null, KnowsCopy = false, RefusesExpiredTokens = false, IssuersRepeated = false };

    /// <summary>7.7: errors as <c>{"error":…}</c>, an empty collections URL, no DELETE.</summary>
    public static DirectorStyle V77 { get; } = V712 with { KnowsDelete = false, Errors = ErrorForm.Error, CollectionsUrlEmpty = true };

    /// <summary>7.0: no depth, no collections URL, plain-text errors.</summary>
    public static DirectorStyle V70 { get; } = V77 with { Depth = false, CollectionsUrl = false, Errors = ErrorForm.Text };

    /// <summary><c>Server</c> header; null for none.</summary>
    public string? Server { get; init; } = "pelican/7.27.0";

    /// <summary>A <c>Link</c> header; without it, <c>Location</c> alone.</summary>
    public bool Link { get; init; } = true;

    /// <summary>One <c>Link</c> line for each server instead of one for all.</summary>
    public bool LinkRepeated { get; init; }

    /// <summary><c>Link</c> names the servers in the reverse order; <c>pri</c> stays right.</summary>
    public bool LinkReversed { get; init; }

    /// <summary><c>depth</c> in <c>Link</c>.</summary>
    public bool Depth { get; init; } = true;

    /// <summary><c>X-Pelican-Namespace</c>.</summary>
    public bool NamespaceHeader { get; init; } = true;

    /// <summary><c>collections-url</c> in it.</summary>
    public bool CollectionsUrl { get; init; } = true;

    /// <summary>… with an empty value.</summary>
    public bool CollectionsUrlEmpty { get; init; }

    /// <summary>Several issuers in a line each, as now; else separated by commas.</summary>
    public bool IssuersRepeated { get; init; } = true;

    /// <summary><c>X-Pelican-Token-Generation</c>.</summary>
    public bool TokenGeneration { get; init; } = true;

    public ErrorForm Errors { get; init; }

    /// <summary>DELETE is a route; else 404 with "page not found".</summary>
    public bool KnowsDelete { get; init; } = true;

    /// <summary>COPY is a route; else 404 with "page not found".</summary>
    public bool KnowsCopy { get; init; } = true;

    /// <summary>401 for an expired token, since 7.25.</summary>
    public bool RefusesExpiredTokens { get; init; } = true;

    /// <summary>It has started within the last minutes: 429 for a namespace that nobody has told it of (pelican-servers.md 2).</summary>
    public bool Starting { get; init; }

    /// <summary>404 unless an origin that is up has the object; servers outside the federation are not asked.</summary>
    public bool LooksForObjects { get; init; } = true;
}
