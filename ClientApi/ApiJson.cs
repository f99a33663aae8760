using System.Text.Json.Serialization;

namespace Pelican.ClientApi;

/// <summary>Source-generated serialization of what the client sends and receives. Members are snake_case; null ones are left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(JobRequest))]
[JsonSerializable(typeof(JobCreated))]
[JsonSerializable(typeof(JobStatus))]
[JsonSerializable(typeof(JobList))]
[JsonSerializable(typeof(JobCancelled))]
[JsonSerializable(typeof(HistoryPruned))]
[JsonSerializable(typeof(UrlRequest))]
[JsonSerializable(typeof(DeleteRequest))]
[JsonSerializable(typeof(StatAnswer))]
[JsonSerializable(typeof(ListAnswer))]
[JsonSerializable(typeof(DeleteAnswer))]
[JsonSerializable(typeof(Health))]
[JsonSerializable(typeof(MessageAnswer))]
[JsonSerializable(typeof(ApiError))]
internal sealed partial class ApiJson : JsonSerializerContext;
