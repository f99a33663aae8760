using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pelican.ClientApi;

namespace Pelican.Json;

/// <summary>Source-generated serialization of everything that is printed, stored or travels. Ours is snake_case; null members are left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(UtcTime)])]
[JsonSerializable(typeof(TransferReport))]
[JsonSerializable(typeof(PlanReport))]
[JsonSerializable(typeof(DeletionReport))]
[JsonSerializable(typeof(ErrorReport))]
[JsonSerializable(typeof(ObjectEntry))]
[JsonSerializable(typeof(IReadOnlyList<ObjectEntry>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(TransferStats))]
[JsonSerializable(typeof(PartState))]
[JsonSerializable(typeof(JobRequest))]
[JsonSerializable(typeof(JobCreated))]
[JsonSerializable(typeof(JobStatus))]
[JsonSerializable(typeof(JobList))]
[JsonSerializable(typeof(JobCancelled))]
[JsonSerializable(typeof(JobEvent))]
[JsonSerializable(typeof(HistoryList))]
[JsonSerializable(typeof(HistoryRemoved))]
[JsonSerializable(typeof(HistoryPruned))]
[JsonSerializable(typeof(UrlRequest))]
[JsonSerializable(typeof(DeleteRequest))]
[JsonSerializable(typeof(StatAnswer))]
[JsonSerializable(typeof(ListAnswer))]
[JsonSerializable(typeof(DeleteAnswer))]
[JsonSerializable(typeof(InstanceRecord))]
[JsonSerializable(typeof(StartReport))]
[JsonSerializable(typeof(ServerReport))]
[JsonSerializable(typeof(Health))]
[JsonSerializable(typeof(MessageAnswer))]
[JsonSerializable(typeof(ApiError))]
internal sealed partial class PelicanJson : JsonSerializerContext
{
    /// <summary>For output: letters of other scripts stay readable; it is never put into HTML.</summary>
    public static PelicanJson Output => Relaxed.Context;

    // In a class of its own, so that it is made after Default.
    private static class Relaxed
    {
        internal static readonly PelicanJson Context =
            new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }
}
