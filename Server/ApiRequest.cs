using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>What requests bring: bodies and parameters.</summary>
internal static class ApiRequest
{
    /// <summary>Largest body that is read.</summary>
    public const int MaxBodyBytes = 8 * 1024 * 1024;

    /// <summary>Of what is too large, so much is read for nothing before the connection ends.</summary>
    private const int DiscardedBytes = 4 * MaxBodyBytes;

    private const int BlockBytes = 64 * 1024;

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    // The Go server matches names in any case. One that is there twice says two things.
    private static readonly PelicanJson Lenient =
        new(new JsonSerializerOptions(PelicanJson.Default.Options) { PropertyNameCaseInsensitive = true, AllowDuplicateProperties = false });

    /// <summary>Says that a body is too large.</summary>
    public static string TooLarge { get; } = FormattableString.Invariant($"the request body is larger than {MaxBodyBytes} bytes");

    /// <summary>The serialization of requests.</summary>
    public static PelicanJson Types => Lenient;

    /// <summary>Reads the body.</summary>
    /// <exception cref="BadHttpRequestException">It is larger than <see cref="MaxBodyBytes"/>, or breaks off.</exception>
    public static async Task<byte[]> BodyAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = DiscardedBytes;
        }

        bool tooLarge = context.Request.ContentLength > MaxBodyBytes;
        using MemoryStream body = new(tooLarge ? 0 : (int)(context.Request.ContentLength ?? 0));
        // Who announces a body waits for the answer; who just sends it would never see one that comes before the end, unless that is far away.
        if (!tooLarge || (context.Request.Headers.Expect.Count == 0 && context.Request.ContentLength <= DiscardedBytes))
        {
            byte[] block = ArrayPool<byte>.Shared.Rent(BlockBytes);
            while (await ReadAsync(context, block) is > 0 and int read)
            {
                tooLarge = tooLarge || body.Length + read > MaxBodyBytes;
                if (!tooLarge)
                {
                    body.Write(block, 0, read);
                }
            }

            ArrayPool<byte>.Shared.Return(block);
        }

        return tooLarge
            ? throw new BadHttpRequestException(TooLarge, StatusCodes.Status413PayloadTooLarge)
            : body.ToArray();
    }

    // Kestrel has faults for a bad chunk and for a lost connection that do not say whose they are.
    private static async ValueTask<int> ReadAsync(HttpContext context, byte[] block)
    {
        try
        {
            return await context.Request.Body.ReadAsync(block, context.RequestAborted);
        }
        catch (IOException e) when (e is not BadHttpRequestException)
        {
            throw new BadHttpRequestException(e.Message, StatusCodes.Status400BadRequest, e);
        }
    }

    /// <summary>Takes a body for what it should be.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>: it is not, and the message says where.</exception>
    public static T Parse<T>(byte[] body, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(body, type)
                ?? throw new PelicanException(Errors.Parameter, "Invalid request body: null where an object belongs");
        }
        catch (JsonException e)
        {
            throw new PelicanException(Errors.Parameter, $"Invalid request body: {(body.Length == 0 ? "it is empty" : Explain(e))}", inner: e);
        }
    }

    // The serializer adds place and path at the end, and names types of ours that mean nothing to the caller.
    private static string Explain(JsonException fault)
    {
        const string missing = " was missing required properties including: ";
        string what = fault.Message.Split(" Path: ")[0].TrimEnd('.');
        int names = what.IndexOf(missing, StringComparison.Ordinal);
        string said = what.StartsWith("The JSON value could not be converted", StringComparison.Ordinal) ? "this is no value for it"
            : what.Contains("doesn't allow null values", StringComparison.Ordinal) ? "null is no value for it"
            : names >= 0 ? $"missing: {what[(names + missing.Length)..]}"
            : what.Replace("Pelican.ClientApi.", "", StringComparison.Ordinal);
        string member = fault.Path is ['$', '.', .. var path] ? path + ": " : "";
        string place = fault.LineNumber is { } line ? FormattableString.Invariant($" (line {line + 1}, byte {fault.BytePositionInLine + 1})") : "";
        return member + said + place;
    }

    /// <summary>A whole number; the default when it is none or too small, the most when it is too large.</summary>
    public static int Limit(HttpContext context, int usual, int most) =>
        int.TryParse(context.Request.Query["limit"], NumberStyles.None, CultureInfo.InvariantCulture, out int limit) && limit >= 1
            ? Math.Min(limit, most)
            : usual;

    /// <summary>Jobs to pass over; 0 when that is no number.</summary>
    public static long Offset(HttpContext context) =>
        long.TryParse(context.Request.Query["offset"], NumberStyles.None, CultureInfo.InvariantCulture, out long offset) ? offset : 0;

    /// <summary>States wanted, by <c>status=a,b</c> or several of these; null for all. Unknown ones let nothing through.</summary>
    public static IReadOnlyList<JobState>? States(HttpContext context)
    {
        string[] names = [.. context.Request.Query["status"].SelectMany(value => value!.Split(',', StringSplitOptions.RemoveEmptyEntries))];
        return names.Length == 0 ? null : [.. names.Select(JobStates.Parse).OfType<JobState>()];
    }

    /// <summary>A time of RFC 3339; null when the parameter is not there.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>.</exception>
    public static DateTimeOffset? Time(HttpContext context, string name)
    {
        string? text = context.Request.Query[name];
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        string[] formats = ["yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK"];
        string upper = Shorten(text.ToUpperInvariant());
        bool hasZone = upper.EndsWith('Z') || upper.LastIndexOfAny(['+', '-']) > upper.IndexOf('T', StringComparison.Ordinal);
        return hasZone && DateTimeOffset.TryParseExact(upper, formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time.ToUniversalTime()
            : throw new PelicanException(Errors.Parameter, $"Invalid {name} parameter (must be RFC3339 format)", "A '+' must be sent as %2B.");
    }

    // A fraction of a second may have any number of digits: Go writes nine, and the platform takes seven.
    private static string Shorten(string time)
    {
        const int most = 7;
        int first = time.IndexOf('.', StringComparison.Ordinal) + 1;
        int digits = first == 0 ? 0 : time.AsSpan(first).IndexOfAnyExceptInRange('0', '9');
        return digits > most ? time.Remove(first + most, digits - most) : time;
    }

    /// <summary>A wait, as <c>30s</c>, <c>500ms</c>, <c>1m30s</c> or in seconds; null when the parameter is not there. At most ten minutes.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>.</exception>
    public static TimeSpan? Wait(HttpContext context)
    {
        string? text = context.Request.Query["wait"];
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        return (GoDuration.Parse(text) ?? GoDuration.Parse(text + "s")) is { } wait && wait >= TimeSpan.Zero
            ? (wait < LongestWait ? wait : LongestWait)
            : throw new PelicanException(Errors.Parameter, $"Invalid wait parameter '{text}'", "Write it as 30s, 500ms or 1m30s.");
    }

    /// <summary>A number of a change; null when the parameter is not there.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>.</exception>
    public static long? Sequence(string? text, string name) => string.IsNullOrEmpty(text) ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
        : throw new PelicanException(Errors.Parameter, $"Invalid {name}: '{text}' is not the number of a change");

    /// <summary>A place in a list, as an answer named it; null when the parameter is not there.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>.</exception>
    public static JobCursor? Cursor(HttpContext context)
    {
        string? text = context.Request.Query["cursor"];
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        string[] parts = text.Split('.', 2);
        return parts.Length == 2 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long ticks)
            && ticks <= DateTimeOffset.MaxValue.Ticks
            ? new JobCursor(new DateTimeOffset(ticks, TimeSpan.Zero), parts[1])
            : throw new PelicanException(Errors.Parameter, "Invalid cursor parameter", "Take it from 'next' of the page before.");
    }

    /// <summary>The place after the last job of a page.</summary>
    public static string Cursor(JobRow last) => FormattableString.Invariant($"{last.CreatedAt.UtcTicks}.{last.Id}");
}
