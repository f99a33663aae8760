using System.Globalization;

namespace Pelican.Transfer;

/// <summary>The one way to read how long an object is. What is absent, or is no number, is unknown: it is never 0.</summary>
internal static class ObjectLength
{
    /// <summary>No object is larger: a server that says so says nothing, and two of them would not fit into a number.</summary>
    private const long Most = 1L << 60;

    /// <summary>Bytes of the object that an answer to GET or HEAD is about; null when it does not say.</summary>
    public static long? Of(HttpResponseMessage response)
    {
        // The length of a coding is not that of the object, and beside chunks no length counts (RFC 9112, 6.3).
        bool coded = response.Content.Headers.ContentEncoding.Any(coding => !coding.Equals("identity", StringComparison.OrdinalIgnoreCase));
        return coded || response.Headers.TransferEncoding.Count > 0 ? null
            : response.Content.Headers.ContentLength is { } length and <= Most ? length : null;
    }

    /// <summary>The value of <c>getcontentlength</c>; null when it is no length.</summary>
    public static long? Parse(string text) =>
        long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long size) && size <= Most ? size : null;
}
