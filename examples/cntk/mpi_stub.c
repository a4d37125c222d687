/* A stand-in for Open MPI: CNTK's libraries do not load without these symbols, though training in one process needs none.
 * The list: nm -D --undefined-only libCntk.Core-2.7.so | grep -E " (MPI_|ompi_|_ZN3MPI)" */
#include <stdio.h>
#include <stdlib.h>

static void refuse(const char *name) {
    fprintf(stderr, "CNTK called %s, but this libmpi is a stand-in for training in one process.\n", name);
    abort();
}

#define REFUSE(name) void name(void) { refuse(#name); }
#define F(name) REFUSE(MPI_##name)
#define OBJECT(name) char name[1];

F(Abort) F(Accumulate) F(Allgather) F(Allgatherv) F(Allreduce) F(Alltoall) F(Alltoallv) F(Alltoallw) F(Barrier) F(Bcast)
F(Bsend) F(Bsend_init) F(Cancel) F(Cart_coords) F(Cart_create) F(Cart_get) F(Cart_map) F(Cart_rank) F(Cart_shift)
F(Cart_sub) F(Cartdim_get) F(Comm_accept) F(Comm_connect) F(Comm_create) F(Comm_delete_attr) F(Comm_disconnect)
F(Comm_dup) F(Comm_free) F(Comm_get_attr) F(Comm_get_errhandler) F(Comm_get_name) F(Comm_group) F(Comm_rank)
F(Comm_remote_group) F(Comm_remote_size) F(Comm_set_attr) F(Comm_set_errhandler) F(Comm_set_name) F(Comm_size)
F(Comm_spawn) F(Comm_spawn_multiple) F(Comm_split) F(Comm_test_inter) F(Errhandler_free) F(Error_string) F(Exscan)
F(Finalize) F(Gather) F(Gatherv) F(Get) F(Get_count) F(Get_elements) F(Get_processor_name) F(Graph_create) F(Graph_get)
F(Graph_map) F(Graph_neighbors) F(Graph_neighbors_count) F(Graphdims_get) F(Grequest_complete) F(Group_excl)
F(Group_free) F(Group_incl) F(Group_range_excl) F(Group_range_incl) F(Group_rank) F(Group_size) F(Iallgather)
F(Iallreduce) F(Ibsend) F(Info_delete) F(Info_dup) F(Info_free) F(Info_get) F(Info_get_nkeys) F(Info_get_nthkey)
F(Info_get_valuelen) F(Info_set) F(Init_thread) F(Initialized) F(Intercomm_create) F(Intercomm_merge) F(Iprobe) F(Irecv)
F(Irsend) F(Isend) F(Issend) F(Op_commutative) F(Op_create) F(Op_free) F(Pack) F(Pack_external) F(Pack_external_size)
F(Pack_size) F(Probe) F(Put) F(Recv) F(Recv_init) F(Reduce) F(Reduce_local) F(Reduce_scatter) F(Request_free)
F(Request_get_status) F(Rsend) F(Rsend_init) F(Scan) F(Scatter) F(Scatterv) F(Send) F(Send_init) F(Sendrecv)
F(Sendrecv_replace) F(Ssend) F(Ssend_init) F(Start) F(Status_set_cancelled) F(Status_set_elements) F(Test)
F(Test_cancelled) F(Topo_test) F(Type_commit) F(Type_contiguous) F(Type_create_darray) F(Type_create_hindexed)
F(Type_create_hvector) F(Type_create_indexed_block) F(Type_create_resized) F(Type_create_subarray) F(Type_delete_attr)
F(Type_dup) F(Type_get_attr) F(Type_get_contents) F(Type_get_envelope) F(Type_get_extent) F(Type_get_name)
F(Type_get_true_extent) F(Type_indexed) F(Type_set_attr) F(Type_set_name) F(Type_size) F(Type_vector) F(Unpack)
F(Unpack_external) F(Wait) F(Waitall) F(Waitany) F(Win_call_errhandler) F(Win_complete) F(Win_delete_attr) F(Win_fence)
F(Win_get_errhandler) F(Win_get_group) F(Win_get_name) F(Win_lock) F(Win_post) F(Win_set_attr) F(Win_set_errhandler)
F(Win_set_name) F(Win_start) F(Win_test) F(Win_unlock) F(Win_wait)

/* Open MPI's predefined handles, and what its C++ binding needs */
OBJECT(ompi_mpi_char) OBJECT(ompi_mpi_comm_null) OBJECT(ompi_mpi_comm_world) OBJECT(ompi_mpi_double)
OBJECT(ompi_mpi_float) OBJECT(ompi_mpi_int) OBJECT(ompi_mpi_long_long_int) OBJECT(ompi_mpi_op_sum)
REFUSE(_ZN3MPI3Win4FreeEv) REFUSE(_ZN3MPI4CommC2Ev) REFUSE(_ZN3MPI8Datatype4FreeEv) REFUSE(ompi_mpi_cxx_op_intercept)
REFUSE(ompi_op_set_cxx_callback)
